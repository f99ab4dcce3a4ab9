package dev.gyre.nn.elementwise;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Value;
import dev.gyre.core.Workers;
import dev.gyre.nn.cpu.Elementwise;
import dev.gyre.nn.cpu.Erf;
import dev.gyre.nn.cpu.MachineElementwise;
import dev.gyre.nn.cpu.ScratchSlots;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * GEGLU: y = value · GELU(gate), where a row of x holds the values followed by the gates (Shazeer 2020).
 *
 * @param x [rows, 2 · width]
 * @param y [rows, width]
 */
public record Geglu(Value x, Value y) implements Op {
    /** Adds a GEGLU of x [..., 2 · width]; returns [..., width]. */
    public static Value of(Value x) {
        int[] dims = x.shape().dims().stream().mapToInt(Integer::intValue).toArray();
        dims[dims.length - 1] /= 2;
        return x.graph().add(new Geglu(x, x.like(dims)));
    }

    @Override
    public List<Value> inputs() {
        return List.of(x);
    }

    @Override
    public Value output() {
        return y;
    }

    @Override
    public List<KernelCall> loops() {
        return List.of(Kernel.call(y.shape().elements(), Geglu::geglu, y.dim(-1), x, y));
    }

    /** The definition. */
    public static void geglu(int begin, int count, int width, FloatArray x, FloatArray y) {
        for (@Parallel int k = 0; k < count; k++) {
            int i = begin + k, at = i / width * 2 * width + i % width;
            float gate = x.get(at + width);
            y.set(i, x.get(at) * (0.5f * gate * (1f + Erf.erf(gate * 0.70710678f))));
        }
    }

    @Override
    public Optional<JvmKernel> jvm() {
        return Optional.of(this::run);
    }

    private void run(JvmMemory memory, Workers workers) {
        int width = y.dim(-1), rows = y.shape().elements() / width;
        MemorySegment from = memory.at(x).data(), to = memory.at(y).data();
        int pieceRows = Math.max(1, 4 * Elementwise.BLOCK / width);
        workers.run((rows + pieceRows - 1) / pieceRows, (piece, scratch) -> {
            for (int row = piece * pieceRows; row < Math.min(rows, (piece + 1) * pieceRows); row++) {
                long values = 2L * row * width, gates = values + width, at = (long) row * width;
                int done = MachineElementwise.geglu(from, values, gates, to, at, width), left = width - done;
                if (left == 0) continue;
                float[] value = scratch.floats(ScratchSlots.LINE, left),
                        gate = scratch.floats(ScratchSlots.GATHERED, left);
                Elementwise.read(from, values + done, value, left);
                Elementwise.read(from, gates + done, gate, left);
                Elementwise.gelu(gate, left);
                for (int i = 0; i < left; i++) value[i] *= gate[i];
                Elementwise.write(value, to, at + done, left);
            }
        });
    }
}
