package dev.gyre.bench;

import dev.gyre.core.Workers;

/**
 * How fast this machine moves memory: c = a + b over arrays of floats, the threads sharing them. It is the most that ops which compute
 * little can reach, and falls where arrays fit no cache; beside it stand the profile's GB/s, counted the same way.
 */
public final class MemorySpeed {
    private static final int[] MEGABYTES = {2, 10, 40, 128};
    private static final int PIECE = 1 << 14, ROUNDS = 9;

    private MemorySpeed() {}

    /** GB/s for arrays of some sizes, each a median of {@value #ROUNDS} rounds; takes a second. */
    public static Table measure(int threads) {
        Table table = new Table("arrays of MB", "threads", "GB/s");
        try (Workers workers = new Workers(threads)) {
            for (int megabytes : MEGABYTES) {
                int n = megabytes * 1_000_000 / Float.BYTES;
                float[] a = new float[n], b = new float[n], c = new float[n];
                int passes = 1 + 40 / megabytes; // so that a round is long enough to be timed
                double[] speeds = new double[ROUNDS];
                for (int round = -2; round < ROUNDS; round++) {
                    long start = System.nanoTime();
                    for (int pass = 0; pass < passes; pass++)
                        workers.run((n + PIECE - 1) / PIECE, (piece, scratch) -> add(a, b, c, piece * PIECE));
                    double nanos = System.nanoTime() - start;
                    if (round >= 0) speeds[round] = 3.0 * Float.BYTES * n * passes / nanos;
                }
                table.add(megabytes, threads, ModelBench.median(speeds));
            }
        }
        return table;
    }

    private static void add(float[] a, float[] b, float[] c, int begin) {
        int end = Math.min(a.length, begin + PIECE);
        for (int i = begin; i < end; i++) c[i] = a[i] + b[i];
    }
}
