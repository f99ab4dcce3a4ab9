package dev.gyre.nn.elementwise;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Target;
import dev.gyre.core.Value;
import dev.gyre.core.Workers;
import dev.gyre.nn.AcceptsAddend;
import dev.gyre.nn.Epilogue;
import dev.gyre.nn.cpu.Elementwise;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Adds one number to all pixels of a channel: y = x + c.
 *
 * @param x [batch, channels, height, width]
 * @param c [batch, channels]
 * @param y as x
 */
public record AddPerChannel(Value x, Value c, Value y) implements Op {
    /**
     * Adds c, [batch, channels] or another shape with as many elements, to x [batch, channels, height, width]; returns
     * x's shape.
     *
     * @throws IllegalArgumentException when c does not have one element for each channel of each image
     */
    public static Value of(Value x, Value c) {
        if (x.dim(0) * x.dim(1) != c.shape().elements())
            throw new IllegalArgumentException("cannot add " + c + " to the channels of " + x);
        return Elementwise.like(x, y -> new AddPerChannel(x, c, y));
    }

    @Override
    public List<Value> inputs() {
        return List.of(x, c);
    }

    @Override
    public Value output() {
        return y;
    }

    @Override
    public List<KernelCall> loops() {
        return List.of(Kernel.call(y.shape().elements(), AddPerChannel::addPerChannel, x.dim(2) * x.dim(3), x, c, y));
    }

    /** Fused into the op that makes x, where that op accepts an addend. */
    @Override
    public Optional<Op> fused(Op producer) {
        return producer instanceof AcceptsAddend op && makesX(op) ? op.withAddend(this, epilogue()) : Optional.empty();
    }

    @Override
    public Optional<Op> fused(Op producer, Target target) {
        return producer instanceof AcceptsAddend op && makesX(op)
                ? op.withAddend(this, epilogue(), target)
                : Optional.empty();
    }

    private boolean makesX(Op producer) {
        return producer.output().storage() == x.storage();
    }

    private Epilogue epilogue() {
        return new Epilogue(c, x.dim(2) * x.dim(3));
    }

    /** The definition. */
    public static void addPerChannel(int begin, int count, int pixels, FloatArray x, FloatArray c, FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) {
            int i = begin + k;
            y.set(i, x.get(i) + c.get(i / pixels));
        }
    }

    @Override
    public Optional<JvmKernel> jvm() {
        return Optional.of(this::run);
    }

    private void run(JvmMemory memory, Workers workers) {
        MemorySegment from = memory.at(x).data(), to = memory.at(y).data();
        float[] shifts = memory.at(c).floats();
        int pixels = x.dim(2) * x.dim(3);
        workers.run(
                shifts.length,
                (channel, scratch) ->
                        Elementwise.scale(from, to, (long) channel * pixels, pixels, 0f, 1f, shifts[channel], scratch));
    }
}
