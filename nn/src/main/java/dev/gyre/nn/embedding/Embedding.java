package dev.gyre.nn.embedding;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Token and position embedding: the token's row of a table plus the row of its position.
 *
 * @param ids [batch, length], I32, each less than the vocabulary's size
 * @param table [vocabulary, width]
 * @param positions [length, width]
 * @param y [batch, length, width]
 */
public record Embedding(Value ids, Value table, Value positions, Value y) implements Op {
    /**
     * Adds an embedding of ids [batch, length].
     *
     * @param table [vocabulary, width]
     * @param positions [length, width]
     * @return [batch, length, width]
     */
    public static Value of(Value ids, Value table, Value positions) {
        return ids.graph().add(new Embedding(ids, table, positions, ids.like(ids.dim(0), ids.dim(1), table.dim(1))));
    }

    @Override
    public List<Value> inputs() {
        return List.of(ids, table, positions);
    }

    @Override
    public Value output() {
        return y;
    }

    @Override
    public List<KernelCall> loops() {
        return List.of(Kernel.call(
                y.shape().elements(), Embedding::embedding, ids.dim(1), table.dim(1), ids, table, positions, y));
    }

    /** The definition. */
    public static void embedding(
            int begin,
            int count,
            int length,
            int width,
            IntArray ids,
            FloatArray table,
            FloatArray positions,
            FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) {
            int i = begin + k, token = i / width, j = i % width;
            y.set(i, table.get(ids.get(token) * width + j) + positions.get(token % length * width + j));
        }
    }

    /** Reads only the rows of these tokens; the definition would need the whole table widened to floats first. */
    @Override
    public Optional<JvmKernel> jvm() {
        return Optional.of((memory, workers) -> {
            int width = table.dim(1), tokens = ids.shape().elements(), length = ids.dim(1);
            Tensor rows = memory.at(table), places = memory.at(positions);
            MemorySegment id = memory.at(ids).data(), to = memory.at(y).data();
            workers.run(tokens, (token, scratch) -> {
                float[] row = scratch.floats(0, width), place = scratch.floats(1, width);
                rows.read((long) id.getAtIndex(ValueLayout.JAVA_INT, token) * width, row, 0, width, scratch.shorts());
                places.read((long) (token % length) * width, place, 0, width, scratch.shorts());
                for (int j = 0; j < width; j++) row[j] += place[j];
                MemorySegment.copy(row, 0, to, ValueLayout.JAVA_FLOAT, (long) token * width * Float.BYTES, width);
            });
        });
    }
}
