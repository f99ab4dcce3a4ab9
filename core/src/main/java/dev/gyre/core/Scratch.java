package dev.gyre.core;

import java.util.ArrayList;
import java.util.List;

/**
 * Arrays that a thread reuses, so that kernels work on {@code float[]} without allocating. Their contents are undefined.
 */
public final class Scratch {
    private final List<float[]> floats = new ArrayList<>();
    private final List<float[][]> rows = new ArrayList<>();
    private short[] shorts = new short[0];
    private int[] ints = new int[0];

    /** An array of at least {@code size} floats; each slot has its own array. */
    public float[] floats(int slot, int size) {
        while (floats.size() <= slot) floats.add(new float[0]);
        if (floats.get(slot).length < size) floats.set(slot, new float[size]);
        return floats.get(slot);
    }

    /** At least {@code count} separate arrays of at least {@code size} floats each; each slot has its own. */
    public float[][] rows(int slot, int count, int size) {
        while (rows.size() <= slot) rows.add(new float[0][]);
        float[][] has = rows.get(slot);
        if (has.length < count || has[0].length < size) {
            int width = Math.max(size, has.length == 0 ? 0 : has[0].length);
            has = new float[Math.max(count, has.length)][width];
            rows.set(slot, has);
        }
        return has;
    }

    /** An array of at least {@code size} ints. */
    public int[] ints(int size) {
        if (ints.length < size) ints = new int[size];
        return ints;
    }

    /** A buffer for 16-bit elements that are converted to floats. */
    public short[] shorts() {
        if (shorts.length == 0) shorts = new short[4096];
        return shorts;
    }
}
