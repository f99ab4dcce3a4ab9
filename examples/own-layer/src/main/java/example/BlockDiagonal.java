package example;

import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Value;
import dev.gyre.nn.AcceptsActivation;
import dev.gyre.nn.AcceptsAddend;
import dev.gyre.nn.Epilogue;
import dev.gyre.nn.elementwise.Silu;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * A linear layer whose weight matrix is block-diagonal: a product that Gyre does not have. It accepts an addend and a SiLU, so that {@code
 * Silu.of(Add.of(BlockDiagonal.of(x, weight), residual))} runs as one op, on the JVM and on devices.
 *
 * @param x [rows, blocks · in]
 * @param weight [blocks, out, in]
 * @param epilogue what is added to each element, if anything
 * @param silu whether SiLU is applied to the sum
 * @param y [rows, blocks · out]
 */
public record BlockDiagonal(Value x, Value weight, Optional<Epilogue> epilogue, boolean silu, Value y)
        implements AcceptsAddend, AcceptsActivation {
    /** Takes x [rows, blocks · in] and weight [blocks, out, in]; gives [rows, blocks · out]. */
    public static Value of(Value x, Value weight) {
        int blocks = weight.dim(0), out = weight.dim(1), in = weight.dim(2);
        if (x.dim(1) != blocks * in) throw new IllegalArgumentException(x + " does not fit the blocks of " + weight);
        return x.graph().add(new BlockDiagonal(x, weight, Optional.empty(), false, x.like(x.dim(0), blocks * out)));
    }

    /** A second addend, or one behind the activation, is left to {@code sum}. */
    @Override
    public Optional<Op> withAddend(Op sum, Epilogue epilogue) {
        return this.epilogue.isEmpty() && !silu
                ? Optional.of(new BlockDiagonal(x, weight, Optional.of(epilogue), false, sum.output()))
                : Optional.empty();
    }

    @Override
    public Optional<Op> withActivation(Op activation) {
        return activation instanceof Silu && !silu
                ? Optional.of(new BlockDiagonal(x, weight, epilogue, true, activation.output()))
                : Optional.empty();
    }

    @Override
    public List<Value> inputs() {
        List<Value> inputs = new ArrayList<>(List.of(x, weight));
        epilogue.ifPresent(e -> inputs.add(e.value()));
        return inputs;
    }

    @Override
    public Value output() {
        return y;
    }

    @Override
    public List<KernelCall> loops() {
        Epilogue e = epilogue.orElse(Epilogue.none(x));
        int blocks = weight.dim(0), out = weight.dim(1), in = weight.dim(2);
        return List.of(Kernel.call(
                x.dim(0) * blocks * out,
                BlockDiagonal::blockDiagonal,
                blocks,
                in,
                out,
                e.each(),
                silu ? 1 : 0,
                x,
                weight,
                e.value(),
                y));
    }

    /** One element of y an iteration. */
    public static void blockDiagonal(
            int begin,
            int count,
            int blocks,
            int in,
            int out,
            int each,
            int silu,
            FloatArray x,
            FloatArray w,
            FloatArray a,
            FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) {
            int i = begin + k, column = i % (blocks * out), row = i / (blocks * out);
            int from = (row * blocks + column / out) * in;
            float sum = 0f;
            for (int j = 0; j < in; j++) sum += x.get(from + j) * w.get(column * in + j);
            float v = Epilogue.apply(sum, i, each, a);
            if (silu == 1) v = v / (1f + TornadoMath.exp(-v));
            y.set(i, v);
        }
    }
}
