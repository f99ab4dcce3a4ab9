package dev.gyre.nn.check;

import dev.gyre.core.DType;
import dev.gyre.core.Q8;
import dev.gyre.core.Shape;
import dev.gyre.core.Value;
import dev.gyre.nn.Weights;
import dev.gyre.nn.attention.Attention;
import dev.gyre.nn.conv.Conv2d;
import dev.gyre.nn.elementwise.Add;
import dev.gyre.nn.elementwise.AddPerChannel;
import dev.gyre.nn.elementwise.Geglu;
import dev.gyre.nn.elementwise.Gelu;
import dev.gyre.nn.elementwise.QuickGelu;
import dev.gyre.nn.elementwise.Silu;
import dev.gyre.nn.embedding.TimestepEmbedding;
import dev.gyre.nn.linear.Linear;
import dev.gyre.nn.norm.GroupNorm;
import dev.gyre.nn.norm.LayerNorm;
import dev.gyre.nn.shape.CircularPad;
import dev.gyre.nn.shape.Concat;
import dev.gyre.nn.shape.Transpose;
import dev.gyre.nn.shape.Upsample;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The table of op tests: every op with odd sizes, strides and batches. All tests and checks that run ops use it. */
final class OpCases {
    private OpCases() {}

    /** The table. */
    static Stream<OpCase> cases() {
        List<OpCase> all = new ArrayList<>();
        linear(all);
        conv2d(all);
        norms(all);
        attention(all);
        elementwise(all);
        sums(all);
        shapes(all);
        return all.stream();
    }

    private static void linear(List<OpCase> all) {
        for (int[] s : new int[][] {
            {1, 1, 1},
            {2, 5, 3},
            {7, 33, 13},
            {77, 64, 192},
            {9, 2, 20},
            {9, 3, 20},
            {9, 4, 20},
            {30, 16, 64},
            {130, 300, 517},
            {3, 1100, 520}
        }) {
            int rows = s[0], in = s[1], out = s[2];
            OpCase with = OpCase.of(
                            "linear " + rows + "x" + in + "x" + out,
                            (x, at) -> Linear.of(x.get(0), out, at),
                            a -> ReferenceOps.linear(a.get(0), a.get(1), a.get(2), rows, in, out),
                            Shape.of(rows, in))
                    .weight("weight", out, in)
                    .weight("bias", out);
            all.add(with);
            all.add(with.stored(DType.F16));
            all.add(with.stored(DType.BF16));
            if (in * out % Q8.BLOCK == 0) all.add(with.stored(DType.Q8_0));
            all.add(OpCase.of(
                            "linear without bias " + rows + "x" + in + "x" + out,
                            (x, at) -> Linear.withoutBias(x.get(0), out, at),
                            a -> ReferenceOps.linear(a.get(0), a.get(1), new double[out], rows, in, out),
                            Shape.of(rows, in))
                    .weight("weight", out, in));
        }
    }

    private static void conv2d(List<OpCase> all) {
        // batch, in, height, width, out, kernel, stride, padding before, padding after
        for (int[] s : new int[][] {
            {1, 1, 1, 1, 1, 1, 1, 0, 0},
            {1, 3, 5, 7, 4, 3, 1, 1, 1},
            {2, 5, 9, 6, 7, 3, 2, 1, 1},
            {2, 5, 9, 6, 7, 3, 2, 0, 1},
            {1, 4, 8, 8, 9, 3, 2, 0, 1},
            {2, 8, 3, 50, 3, 1, 1, 0, 0},
            {3, 33, 17, 23, 10, 3, 1, 1, 1},
            {1, 300, 4, 5, 66, 1, 1, 0, 0},
            {2, 6, 40, 33, 5, 3, 1, 1, 1},
            {2, 140, 20, 48, 30, 3, 1, 1, 1},
            {1, 20, 16, 16, 17, 3, 1, 1, 1},
            {1, 2, 6, 6, 3, 5, 1, 2, 2},
            {2, 140, 30, 34, 14, 3, 1, 1, 1},
            {1, 16, 4, 200, 30, 3, 1, 1, 1},
            {2, 150, 8, 8, 50, 3, 1, 1, 1},
            {1, 20, 14, 15, 17, 3, 1, 0, 2},
            {1, 2, 2, 2, 3, 5, 1, 2, 2},
            {2, 3, 9, 10, 4, 5, 3, 2, 2},
            {1, 3, 9, 10, 6, 2, 3, 0, 0},
            {1, 3, 5, 5, 9, 1, 2, 0, 0},
            {1, 5, 6, 7, 8, 3, 1, 1, 1},
            {1, 32, 14, 15, 17, 3, 1, 1, 1},
            {2, 64, 5, 7, 12, 1, 1, 0, 0},
            {1, 16, 9, 8, 14, 3, 2, 1, 1},
        }) {
            OpCase plain = OpCase.of(
                            "conv2d " + IntStream.of(s).boxed().toList(),
                            (x, at) -> conv2d(s, x.get(0), at),
                            a -> ReferenceOps.conv2d(a.get(0), a.get(1), a.get(2), s),
                            Shape.of(s[0], s[1], s[2], s[3]))
                    .weight("weight", s[4], s[1], s[5], s[5])
                    .weight("bias", s[4]);
            all.add(plain);
            all.add(plain.stored(DType.F16));
            if (s[1] * s[4] * s[5] * s[5] % Q8.BLOCK == 0) all.add(plain.stored(DType.Q8_0));
        }
    }

    private static void norms(List<OpCase> all) {
        for (int[] s :
                new int[][] {{1, 4, 1, 1, 2}, {1, 4, 2, 8, 2}, {2, 6, 3, 5, 3}, {2, 32, 17, 19, 8}, {1, 8, 40, 40, 8}})
            for (float epsilon : new float[] {1e-5f, 1e-6f})
                all.add(OpCase.of(
                                "group norm " + IntStream.of(s).boxed().toList() + " " + epsilon,
                                (x, at) -> GroupNorm.of(x.get(0), s[4], epsilon, at),
                                a -> ReferenceOps.groupNorm(a.get(0), a.get(1), a.get(2), s, epsilon),
                                Shape.of(s[0], s[1], s[2], s[3]))
                        .weight("weight", s[1])
                        .weight("bias", s[1]));
        for (int[] s : new int[][] {{1, 2}, {3, 7}, {3, 32}, {4, 48}, {77, 64}, {10, 1280}})
            all.add(OpCase.of(
                            "layer norm " + s[0] + "x" + s[1],
                            (x, at) -> LayerNorm.of(x.get(0), at),
                            a -> ReferenceOps.layerNorm(a.get(0), a.get(1), a.get(2), s[0], s[1]),
                            Shape.of(s[0], s[1]))
                    .weight("weight", s[1])
                    .weight("bias", s[1]));
    }

    private static void attention(List<OpCase> all) {
        // batch, queries, keys, heads, depth
        for (int[] s : new int[][] {
            {1, 1, 1, 1, 1},
            {2, 5, 7, 3, 5},
            {1, 77, 77, 2, 32},
            {2, 64, 77, 4, 8},
            {1, 600, 300, 2, 40},
            {1, 130, 129, 1, 64}
        })
            for (boolean causal : s[1] == s[2] ? new boolean[] {false, true} : new boolean[] {false})
                all.add(OpCase.of(
                        "attention " + IntStream.of(s).boxed().toList() + (causal ? " causal" : ""),
                        (x, at) -> Attention.of(x.get(0), x.get(1), x.get(2), s[3], causal),
                        a -> ReferenceOps.attention(a.get(0), a.get(1), a.get(2), s, causal),
                        Shape.of(s[0], s[1], s[3] * s[4]),
                        Shape.of(s[0], s[2], s[3] * s[4]),
                        Shape.of(s[0], s[2], s[3] * s[4])));
    }

    private static void elementwise(List<OpCase> all) {
        unary(all, "silu", (x, at) -> Silu.of(x.get(0)), v -> v / (1 + Math.exp(-v)));
        unary(all, "quick gelu", (x, at) -> QuickGelu.of(x.get(0)), v -> v / (1 + Math.exp(-1.702 * v)));
        unary(all, "gelu", (x, at) -> Gelu.of(x.get(0)), ReferenceOps::gelu);
        for (Shape shape : List.of(Shape.of(3, 14), Shape.of(2, 5, 640)))
            all.add(OpCase.of(
                    "geglu " + shape,
                    (x, at) -> Geglu.of(x.get(0)),
                    a -> ReferenceOps.geglu(a.get(0), shape.dim(-1) / 2),
                    shape));
        all.add(OpCase.of(
                "add",
                (x, at) -> Add.of(x.get(0), x.get(1)),
                a -> ReferenceOps.sum(a.get(0), a.get(1), 1),
                Shape.of(2, 3, 5),
                Shape.of(2, 3, 5)));
        all.add(OpCase.of(
                "add scaled",
                (x, at) -> Add.of(x.get(0), x.get(1), -0.75f),
                a -> IntStream.range(0, a.get(0).length)
                        .mapToDouble(i -> a.get(0)[i] - 0.75 * a.get(1)[i])
                        .toArray(),
                Shape.of(7, 11),
                Shape.of(7, 11)));
        all.add(OpCase.of(
                "add per channel",
                (x, at) -> AddPerChannel.of(x.get(0), x.get(1)),
                a -> ReferenceOps.sum(a.get(0), a.get(1), 20),
                Shape.of(2, 3, 4, 5),
                Shape.of(2, 3)));
    }

    /** Linear layers and convolutions followed by an addition, which devices fuse. */
    private static void sums(List<OpCase> all) {
        for (int[] s : new int[][] {{7, 33, 13}, {70, 48, 80}}) {
            int rows = s[0], in = s[1], out = s[2];
            all.add(OpCase.of(
                            "linear plus " + rows + "x" + in + "x" + out,
                            (x, at) -> Add.of(Linear.of(x.get(0), out, at), x.get(1)),
                            a -> ReferenceOps.sum(
                                    ReferenceOps.linear(a.get(0), a.get(2), a.get(3), rows, in, out), a.get(1), 1),
                            Shape.of(rows, in),
                            Shape.of(rows, out))
                    .weight("weight", out, in)
                    .weight("bias", out));
            all.add(OpCase.of(
                            "plus linear without bias " + rows + "x" + in + "x" + out,
                            (x, at) -> Add.of(x.get(1), Linear.withoutBias(x.get(0), out, at)),
                            a -> ReferenceOps.sum(
                                    ReferenceOps.linear(a.get(0), a.get(2), new double[out], rows, in, out),
                                    a.get(1),
                                    1),
                            Shape.of(rows, in),
                            Shape.of(rows, out))
                    .weight("weight", out, in));
        }
        for (int[] s : new int[][] {
            {2, 16, 9, 6, 7, 3, 1, 1, 1},
            {2, 5, 9, 6, 7, 3, 2, 0, 1},
            {2, 32, 4, 8, 72, 1, 1, 0, 0},
            {1, 2, 6, 6, 3, 5, 1, 2, 2},
        }) {
            OpCase plain = OpCase.of(
                            "conv2d plus " + IntStream.of(s).boxed().toList(),
                            (x, at) -> Add.of(conv2d(s, x.get(0), at), x.get(1)),
                            a -> ReferenceOps.sum(ReferenceOps.conv2d(a.get(0), a.get(2), a.get(3), s), a.get(1), 1),
                            Shape.of(s[0], s[1], s[2], s[3]),
                            made(s))
                    .weight("weight", s[4], s[1], s[5], s[5])
                    .weight("bias", s[4]);
            all.add(plain);
            all.add(plain.stored(DType.F16));
            int pixels = made(s).dim(2) * made(s).dim(3);
            all.add(OpCase.of(
                            "conv2d plus per channel " + IntStream.of(s).boxed().toList(),
                            (x, at) -> AddPerChannel.of(conv2d(s, x.get(0), at), x.get(1)),
                            a -> ReferenceOps.sum(
                                    ReferenceOps.conv2d(a.get(0), a.get(2), a.get(3), s), a.get(1), pixels),
                            Shape.of(s[0], s[1], s[2], s[3]),
                            Shape.of(s[0], s[4]))
                    .weight("weight", s[4], s[1], s[5], s[5])
                    .weight("bias", s[4]));
        }
    }

    private static Value conv2d(int[] s, Value x, Weights at) {
        return Conv2d.of(x, s[4], s[5], s[6], s[7], s[8], at);
    }

    private static Shape made(int[] s) {
        return Shape.of(s[0], s[4], (s[2] + s[7] + s[8] - s[5]) / s[6] + 1, (s[3] + s[7] + s[8] - s[5]) / s[6] + 1);
    }

    private static void unary(List<OpCase> all, String name, OpCase.Layer layer, DoubleUnaryOperator f) {
        for (Shape shape : List.of(Shape.of(1), Shape.of(3, 7), Shape.of(2, 5000)))
            all.add(OpCase.of(
                    name + " " + shape,
                    layer,
                    a -> java.util.Arrays.stream(a.get(0)).map(f).toArray(),
                    shape));
    }

    private static void shapes(List<OpCase> all) {
        all.add(OpCase.of(
                "concat",
                (x, at) -> Concat.of(x.get(0), x.get(1)),
                a -> ReferenceOps.concat(a.get(0), a.get(1), 2, 3 * 20, 5 * 20),
                Shape.of(2, 3, 4, 5),
                Shape.of(2, 5, 4, 5)));
        for (int[] s : new int[][] {{2, 3, 4, 5, 8, 10}, {1, 2, 3, 4, 5, 7}})
            all.add(OpCase.of(
                    "upsample " + IntStream.of(s).boxed().toList(),
                    (x, at) -> Upsample.of(x.get(0), s[4], s[5]),
                    a -> ReferenceOps.upsample(a.get(0), s),
                    Shape.of(s[0], s[1], s[2], s[3])));
        for (int[] s : new int[][] {{2, 3, 4, 5, 1}, {1, 2, 3, 7, 3}, {1, 1, 1, 1, 1}})
            all.add(OpCase.of(
                    "wrap " + IntStream.of(s).boxed().toList(),
                    (x, at) -> CircularPad.of(x.get(0), s[4]),
                    a -> ReferenceOps.circularPad(a.get(0), s),
                    Shape.of(s[0], s[1], s[2], s[3])));
        all.add(OpCase.of(
                "transpose",
                (x, at) -> Transpose.of(x.get(0)),
                a -> ReferenceOps.transpose(a.get(0), 2, 7, 5),
                Shape.of(2, 7, 5)));
        all.add(OpCase.of(
                "timestep embedding",
                (x, at) -> TimestepEmbedding.of(x.get(0), 32),
                a -> ReferenceOps.timestepEmbedding(a.get(0), 32),
                Shape.of(5)));
    }
}
