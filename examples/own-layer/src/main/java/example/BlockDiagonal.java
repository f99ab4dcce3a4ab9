package example;

import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Value;
import dev.gyre.nn.AcceptsAddend;
import dev.gyre.nn.Epilogue;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * A linear layer whose matrix is zero but for blocks on its diagonal, one a group: a product that Gyre does not have. It accepts an
 * addend, so that {@code Add.of(BlockDiagonal.of(x, weight), residual)} is one op, on the JVM and on devices.
 *
 * @param x [rows, groups · in]
 * @param weight [groups, out, in]
 * @param epilogue what is added to y, if anything
 * @param y [rows, groups · out]
 */
public record BlockDiagonal(Value x, Value weight, Optional<Epilogue> epilogue, Value y) implements AcceptsAddend {
    public static Value of(Value x, Value weight) {
        int groups = weight.dim(0), out = weight.dim(1), in = weight.dim(2);
        if (x.dim(1) != groups * in) throw new IllegalArgumentException(x + " does not fit the blocks of " + weight);
        return x.graph().add(new BlockDiagonal(x, weight, Optional.empty(), x.like(x.dim(0), groups * out)));
    }

    @Override
    public Optional<Op> withAddend(Op sum, Epilogue epilogue) {
        return this.epilogue.isEmpty()
                ? Optional.of(new BlockDiagonal(x, weight, Optional.of(epilogue), sum.output()))
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
        int in = weight.dim(2), out = weight.dim(1), groups = weight.dim(0);
        return List.of(Kernel.call(
                x.dim(0) * groups * out, BlockDiagonal::blockDiagonal, groups, in, out, e.each(), x, weight, e.value(), y));
    }

    /** One element of y an iteration. */
    public static void blockDiagonal(
            int begin,
            int count,
            int groups,
            int in,
            int out,
            int each,
            FloatArray x,
            FloatArray w,
            FloatArray a,
            FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) {
            int i = begin + k, column = i % (groups * out), row = i / (groups * out);
            int from = (row * groups + column / out) * in;
            float sum = 0f;
            for (int j = 0; j < in; j++) sum += x.get(from + j) * w.get(column * in + j);
            y.set(i, Epilogue.apply(sum, i, each, a));
        }
    }
}
