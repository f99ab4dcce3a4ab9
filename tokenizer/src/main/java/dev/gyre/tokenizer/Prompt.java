package dev.gyre.tokenizer;

/**
 * A text as CLIP's text encoder takes it.
 *
 * @param ids 77: the start mark, at most 75 tokens, the end mark, and the end mark again up to 77
 * @param tokens how many of the ids are the text's own
 * @param cut what did not fit, empty when all did
 */
public record Prompt(int[] ids, int tokens, String cut) {}
