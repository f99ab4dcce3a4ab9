package dev.gyre.nn;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Op;
import dev.gyre.core.Scratch;
import dev.gyre.core.Step;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.core.Workers;
import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * y = x · Wᵀ + b.
 *
 * @param x [rows, in]
 * @param weight [out, in], as the checkpoint stores it
 * @param bias [out], or empty
 * @param y [rows, out]
 */
public record Linear(Value x, Value weight, Optional<Value> bias, Value y) implements Op {

    /** Reads {@code weight} and {@code bias}. {@code x} is [..., in]; all but the last dimension are rows. Gives [..., out]. */
    public static Value of(Value x, int out, Weights at) {
        return of(x, at.get("weight", out, x.dim(-1)), Optional.of(at.get("bias", out)));
    }

    /** Reads {@code weight} alone. */
    public static Value withoutBias(Value x, int out, Weights at) {
        return of(x, at.get("weight", out, x.dim(-1)), Optional.empty());
    }

    private static Value of(Value x, Value weight, Optional<Value> bias) {
        int in = x.dim(-1), out = weight.dim(0), rows = x.shape().elements() / in;
        Value y = x.graph().add(new Linear(x.reshape(rows, in), weight, bias, x.like(rows, out)));
        int[] dims = x.shape().dims().stream().mapToInt(Integer::intValue).toArray();
        dims[dims.length - 1] = out;
        return y.reshape(dims);
    }

    @Override
    public List<Value> inputs() {
        return bias.map(b -> List.of(x, weight, b)).orElse(List.of(x, weight));
    }

    @Override
    public Value output() {
        return y;
    }

    @Override
    public List<Step> loops() {
        int rows = y.dim(0), in = x.dim(1), out = y.dim(1);
        return List.of(
                bias.isPresent()
                        ? Step.of(rows * out, Linear::linear, in, out, x, weight, bias.get(), y)
                        : Step.of(rows * out, Linear::linearWithoutBias, in, out, x, weight, y));
    }

    /** The definition. Every faster way is tested against it. */
    public static void linear(
            int begin, int count, int in, int out, FloatArray x, FloatArray w, FloatArray b, FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) {
            int i = begin + k, row = i / out, o = i % out;
            float sum = b.get(o);
            for (int j = 0; j < in; j++) sum += x.get(row * in + j) * w.get(o * in + j);
            y.set(i, sum);
        }
    }

    public static void linearWithoutBias(
            int begin, int count, int in, int out, FloatArray x, FloatArray w, FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) {
            int i = begin + k, row = i / out, o = i % out;
            float sum = 0f;
            for (int j = 0; j < in; j++) sum += x.get(row * in + j) * w.get(o * in + j);
            y.set(i, sum);
        }
    }

    @Override
    public Optional<JvmKernel> jvm() {
        return Optional.of(this::run);
    }

    private void run(JvmMemory memory, Workers workers) {
        int rows = y.dim(0), in = x.dim(1), out = y.dim(1);
        Tensor left = memory.at(x), right = memory.at(weight);
        float[] start = bias.map(b -> memory.at(b).floats()).orElseGet(() -> new float[out]);
        Gemm.run(
                rows,
                out,
                in,
                (row, from, count, to, at, scratch) ->
                        left.read((long) row * in + from, to, at, count, scratch.shorts()),
                (from, depth, column, width, to, scratch) ->
                        transpose(right, in, from, depth, column, width, to, scratch),
                new RowMajor(memory.at(y).data(), out, start),
                workers);
    }

    /** Eight rows of W at a time become eight neighbours in every row of the panel. */
    private static void transpose(
            Tensor w, int in, int from, int depth, int column, int width, float[][] to, Scratch scratch) {
        float[][] rows = scratch.rows(3, 8, Gemm.DEPTH);
        for (int o = 0; o < width; o += 8) {
            int n = Math.min(8, width - o);
            for (int i = 0; i < n; i++)
                w.read((long) (column + o + i) * in + from, rows[i], 0, depth, scratch.shorts());
            if (n == 8) scatter(rows[0], rows[1], rows[2], rows[3], rows[4], rows[5], rows[6], rows[7], depth, to, o);
            else for (int j = 0; j < depth; j++) for (int i = 0; i < n; i++) to[j][o + i] = rows[i][j];
        }
    }

    private static void scatter(
            float[] r0,
            float[] r1,
            float[] r2,
            float[] r3,
            float[] r4,
            float[] r5,
            float[] r6,
            float[] r7,
            int depth,
            float[][] to,
            int at) {
        for (int j = 0; j < depth; j++) {
            float[] row = to[j];
            row[at] = r0[j];
            row[at + 1] = r1[j];
            row[at + 2] = r2[j];
            row[at + 3] = r3[j];
            row[at + 4] = r4[j];
            row[at + 5] = r5[j];
            row[at + 6] = r6[j];
            row[at + 7] = r7[j];
        }
    }
}
