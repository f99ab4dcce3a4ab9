package dev.gyre.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * Byte-pair encoding of one word (Sennrich et al. 2016): of all neighbours that merge, those of the lowest rank do, the leftmost
 * first, until none is left. A queue keeps that at n log n for a word of n bytes.
 */
final class Bpe {
    private record Merge(int rank, int left, int leftId, int rightId) {}

    private Bpe() {}

    /** Appends the word's symbols. */
    static void encode(String word, Vocabulary vocabulary, List<Integer> to) {
        byte[] bytes = word.getBytes(StandardCharsets.UTF_8);
        int n = bytes.length;
        int[] ids = new int[n], next = new int[n], previous = new int[n];
        for (int i = 0; i < n; i++) {
            ids[i] = vocabulary.ofByte(bytes[i] & 0xFF) + (i == n - 1 ? 256 : 0);
            next[i] = i + 1 < n ? i + 1 : -1;
            previous[i] = i - 1;
        }
        PriorityQueue<Merge> queue =
                new PriorityQueue<>(Comparator.comparingInt(Merge::rank).thenComparingInt(Merge::left));
        for (int i = 0; i + 1 < n; i++) offer(i, ids, next, vocabulary, queue);
        while (!queue.isEmpty()) {
            Merge merge = queue.remove();
            int left = merge.left, right = next[left];
            // Either side may have merged otherwise since this was queued.
            if (ids[left] != merge.leftId || right < 0 || ids[right] != merge.rightId) continue;
            ids[left] = vocabulary.merged(merge.rank);
            ids[right] = -1;
            next[left] = next[right];
            if (next[left] >= 0) previous[next[left]] = left;
            offer(left, ids, next, vocabulary, queue);
            if (previous[left] >= 0) offer(previous[left], ids, next, vocabulary, queue);
        }
        for (int i = 0; i >= 0 && n > 0; i = next[i]) to.add(ids[i]);
    }

    private static void offer(int left, int[] ids, int[] next, Vocabulary vocabulary, PriorityQueue<Merge> queue) {
        int right = next[left];
        if (right < 0) return;
        int rank = vocabulary.rank(ids[left], ids[right]);
        if (rank >= 0) queue.add(new Merge(rank, left, ids[left], ids[right]));
    }
}
