package dev.gyre.nn;

import dev.gyre.machine.Feature;
import dev.gyre.machine.Machine;
import java.lang.foreign.MemorySegment;

/** x · sigmoid(slope · x) after a norm's last step, in machine code, from and to where the values lie; {@link Elementwise}'s bits. */
final class Gate {
    /** Floats of one call: the collector waits for it. */
    private static final int SOME = 1 << 16;

    private Gate() {}

    static boolean isThere() {
        return Machine.HERE.has(Feature.AVX512);
    }

    /** to[at + i] = g((from[at + i] − middle) · scale + shift) for i below {@code count}. */
    static void run(
            MemorySegment from,
            MemorySegment to,
            long at,
            int count,
            float middle,
            float scale,
            float shift,
            float slope) {
        MemorySegment numbers = MemorySegment.ofArray(new float[] {middle, scale, shift, -slope});
        for (int done = 0; done < count; done += SOME) {
            long place = (at + done) * Float.BYTES;
            MemorySegment x = from.asSlice(place), y = to.asSlice(place);
            try {
                Kernels.Gate.GATE.invokeExact(x, y, (long) Math.min(SOME, count - done), numbers);
            } catch (Throwable e) {
                throw Kernels.unexpected(e);
            }
        }
    }
}
