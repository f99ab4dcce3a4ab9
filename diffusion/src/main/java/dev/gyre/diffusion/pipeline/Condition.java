package dev.gyre.diffusion.pipeline;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * What the UNet is conditioned on beside the timestep, for a batch.
 *
 * @param states of the text, [batch, tokens, width], flat
 * @param vectors [batch, n], flat; empty where the UNet takes none
 */
public record Condition(float[] states, float[] vectors) {
    /** By the text alone. */
    public static Condition of(float[] states) {
        return new Condition(states, new float[0]);
    }

    /** Concatenates batches. */
    static Condition of(List<Condition> all) {
        return new Condition(
                joined(all.stream().map(Condition::states).toList()),
                joined(all.stream().map(Condition::vectors).toList()));
    }

    static float[] joined(List<float[]> all) {
        float[] joined = new float[all.stream().mapToInt(one -> one.length).sum()];
        int at = 0;
        for (float[] one : all) {
            System.arraycopy(one, 0, joined, at, one.length);
            at += one.length;
        }
        return joined;
    }

    /** Repeats the batch. */
    Condition repeated(int times) {
        return of(Collections.nCopies(times, this));
    }

    /** Part {@code i} of a batch that is cut into so many equal ones. */
    Condition part(int i, int parts) {
        return new Condition(part(states, i, parts), part(vectors, i, parts));
    }

    private static float[] part(float[] all, int i, int parts) {
        int size = all.length / parts;
        return Arrays.copyOfRange(all, i * size, (i + 1) * size);
    }
}
