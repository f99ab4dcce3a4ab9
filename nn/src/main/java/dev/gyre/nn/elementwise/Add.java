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
import dev.gyre.nn.cpu.MachineElementwise;
import dev.gyre.nn.cpu.ScratchSlots;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Addition, element by element: y = a + scale · b.
 *
 * @param a any shape
 * @param b as a
 * @param scale 1 for a plain sum
 * @param y as a
 */
public record Add(Value a, Value b, float scale, Value y) implements Op {
    /** Adds a + b, two values of one shape; returns that shape. */
    public static Value of(Value a, Value b) {
        return of(a, b, 1);
    }

    /**
     * Adds a + scale · b, two values of one shape; returns that shape.
     *
     * @throws IllegalArgumentException when the shapes differ
     */
    public static Value of(Value a, Value b, float scale) {
        if (!a.shape().equals(b.shape()))
            throw new IllegalArgumentException("cannot add " + a + " and " + b + ": their shapes differ");
        return Elementwise.like(a, y -> new Add(a, b, scale, y));
    }

    @Override
    public List<Value> inputs() {
        return List.of(a, b);
    }

    @Override
    public Value output() {
        return y;
    }

    @Override
    public List<KernelCall> loops() {
        return List.of(Kernel.call(y.shape().elements(), Add::add, scale, a, b, y));
    }

    /** Fused into the op that makes one of the two, where that op accepts an addend. */
    @Override
    public Optional<Op> fused(Op producer) {
        return scale == 1 && producer instanceof AcceptsAddend op
                ? op.withAddend(this, epilogue(op))
                : Optional.empty();
    }

    @Override
    public Optional<Op> fused(Op producer, Target target) {
        return scale == 1 && producer instanceof AcceptsAddend op
                ? op.withAddend(this, epilogue(op), target)
                : Optional.empty();
    }

    /** The addend to the producer's output. */
    private Epilogue epilogue(Op producer) {
        return new Epilogue(producer.output().storage() == a.storage() ? b : a, 1);
    }

    /** The definition. */
    public static void add(int begin, int count, float scale, FloatArray a, FloatArray b, FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) {
            int i = begin + k;
            y.set(i, a.get(i) + scale * b.get(i));
        }
    }

    @Override
    public Optional<JvmKernel> jvm() {
        return Optional.of(this::run);
    }

    private void run(JvmMemory memory, Workers workers) {
        MemorySegment left = memory.at(a).data(),
                right = memory.at(b).data(),
                to = memory.at(y).data();
        Elementwise.blocks(workers, y.shape().elements(), 8, (begin, count, scratch) -> {
            int done = MachineElementwise.add(left, right, to, begin, count, scale);
            for (int n; done < count; done += n) {
                n = Math.min(Elementwise.BLOCK, count - done);
                float[] v = scratch.floats(ScratchSlots.LINE, n), w = scratch.floats(ScratchSlots.GATHERED, n);
                Elementwise.read(left, begin + done, v, n);
                Elementwise.read(right, begin + done, w, n);
                for (int i = 0; i < n; i++) v[i] += scale * w[i];
                Elementwise.write(v, to, begin + done, n);
            }
        });
    }
}
