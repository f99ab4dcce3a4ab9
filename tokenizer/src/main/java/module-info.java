/** CLIP's byte-pair tokenizer. */
module dev.gyre.tokenizer {
    exports dev.gyre.tokenizer;
}
