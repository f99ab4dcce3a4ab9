package dev.gyre.machine.kernel;

import dev.gyre.machine.NativeCode;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Native buffers between guard pages: a read or write beyond a buffer's end (or before its begin) kills the process.
 * Where there is no machine code they are plain buffers, whose bounds the emulator checks.
 */
@SuppressWarnings("restricted")
final class Guarded {
    private static final long PAGE = 4096;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

    /** Linux's constant. */
    private static final class Calls {
        private static final MethodHandle MMAP =
                call("mmap", FunctionDescriptor.of(LONG, LONG, LONG, INT, INT, INT, LONG));
        private static final MethodHandle MPROTECT = call("mprotect", FunctionDescriptor.of(INT, LONG, LONG, INT));
        private static final MethodHandle MUNMAP = call("munmap", FunctionDescriptor.of(INT, LONG, LONG));

        private static MethodHandle call(String name, FunctionDescriptor type) {
            return Linker.nativeLinker()
                    .downcallHandle(
                            Linker.nativeLinker().defaultLookup().find(name).orElseThrow(), type);
        }
    }

    private final Arena arena;
    private final boolean atEnd;

    /** @param atEnd whether buffers end where a guard begins; else they begin where one ends */
    Guarded(Arena arena, boolean atEnd) {
        this.arena = arena;
        this.atEnd = atEnd;
    }

    MemorySegment bytes(long size) {
        if (NativeCode.HERE.refusal().isPresent()) return arena.allocate(size, Float.BYTES);
        long inner = (size + PAGE - 1) / PAGE * PAGE, all = inner + 2 * PAGE;
        try {
            long address = (long) Calls.MMAP.invokeExact(0L, all, 0, 0x22, -1, 0L);
            if (address == -1 || (int) Calls.MPROTECT.invokeExact(address + PAGE, inner, 3) != 0)
                throw new IllegalStateException("no guarded memory");
            long begin = address + PAGE + (atEnd ? inner - size : 0);
            return MemorySegment.ofAddress(begin).reinterpret(size, arena, segment -> unmap(address, all));
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static void unmap(long address, long size) {
        try {
            int unused = (int) Calls.MUNMAP.invokeExact(address, size);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    MemorySegment floats(float[] values) {
        MemorySegment to = bytes(values.length * 4L);
        MemorySegment.copy(values, 0, to, ValueLayout.JAVA_FLOAT_UNALIGNED, 0, values.length);
        return to;
    }

    MemorySegment longs(long[] values) {
        MemorySegment to = bytes(values.length * 8L);
        MemorySegment.copy(values, 0, to, ValueLayout.JAVA_LONG_UNALIGNED, 0, values.length);
        return to;
    }

    static float[] floats(MemorySegment from) {
        return from.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
    }
}
