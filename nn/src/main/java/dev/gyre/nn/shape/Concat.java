package dev.gyre.nn.shape;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.core.Workers;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Concatenates the channels of two values.
 *
 * @param a [batch, first, height, width]
 * @param b [batch, second, height, width]
 * @param y [batch, first + second, height, width]
 */
public record Concat(Value a, Value b, Value y) implements Op {
    /**
     * Adds a concatenation of a's channels and b's; returns [batch, first + second, height, width].
     *
     * @throws IllegalArgumentException when the two differ in more than channels
     */
    public static Value of(Value a, Value b) {
        if (a.dim(0) != b.dim(0) || a.dim(2) != b.dim(2) || a.dim(3) != b.dim(3))
            throw new IllegalArgumentException("cannot concatenate the channels of " + a + " and " + b);
        return a.graph().add(new Concat(a, b, a.like(a.dim(0), a.dim(1) + b.dim(1), a.dim(2), a.dim(3))));
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
        int pixels = y.dim(2) * y.dim(3);
        return List.of(
                Kernel.call(y.shape().elements(), Concat::concat, a.dim(1) * pixels, b.dim(1) * pixels, a, b, y));
    }

    /** The definition. {@code first} and {@code second} are the elements of one image in a and in b. */
    public static void concat(int begin, int count, int first, int second, FloatArray a, FloatArray b, FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) {
            int i = begin + k, image = i / (first + second), j = i % (first + second);
            if (j < first) y.set(i, a.get(image * first + j));
            else y.set(i, b.get(image * second + j - first));
        }
    }

    @Override
    public Optional<JvmKernel> jvm() {
        return Optional.of(this::run);
    }

    private void run(JvmMemory memory, Workers workers) {
        long first = memory.at(a).data().byteSize() / a.dim(0),
                second = memory.at(b).data().byteSize() / b.dim(0);
        workers.run(2 * y.dim(0), (piece, scratch) -> {
            long image = piece / 2;
            if (piece % 2 == 0) copy(memory.at(a), image * first, memory.at(y), image * (first + second), first);
            else copy(memory.at(b), image * second, memory.at(y), image * (first + second) + first, second);
        });
    }

    private static void copy(Tensor from, long at, Tensor to, long place, long bytes) {
        MemorySegment.copy(from.data(), at, to.data(), place, bytes);
    }
}
