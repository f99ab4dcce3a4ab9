package dev.gyre.machine;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** Executable memory, by POSIX calls with Linux's constants: pages are first writable, then executable, never both. */
@SuppressWarnings("restricted") // see NativeCode
final class ExecutableMemory {
    private static final int PAGE = 4096;
    private static final int READ = 1, WRITE = 2, EXECUTE = 4;
    private static final int PRIVATE_ANONYMOUS = 0x22;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final MemoryLayout ERRNO = Linker.Option.captureStateLayout();
    private static final long ERRNO_AT = ERRNO.byteOffset(MemoryLayout.PathElement.groupElement("errno"));

    private final MethodHandle mmap = call("mmap", FunctionDescriptor.of(LONG, LONG, LONG, INT, INT, INT, LONG));
    private final MethodHandle mprotect = call("mprotect", FunctionDescriptor.of(INT, LONG, LONG, INT));
    private final MethodHandle munmap = call("munmap", FunctionDescriptor.of(INT, LONG, LONG));

    private static MethodHandle call(String name, FunctionDescriptor type) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(
                linker.defaultLookup().find(name).orElseThrow(() -> new UnsupportedOperationException("no " + name)),
                type,
                Linker.Option.captureCallState("errno"));
    }

    /**
     * Copies code to pages of its own.
     *
     * @param arena unmaps them when it is closed, or collected if automatic; calls must have returned before
     * @throws UnsupportedOperationException naming what the system refused
     */
    MemorySegment place(byte[] code, Arena arena) {
        long size = (code.length + PAGE - 1) / PAGE * PAGE;
        try (Arena here = Arena.ofConfined()) {
            MemorySegment state = here.allocate(ERRNO);
            long address = (long) mmap.invokeExact(state, 0L, size, READ | WRITE, PRIVATE_ANONYMOUS, -1, 0L);
            if (address == -1) throw refused("memory", state);
            MemorySegment.copy(
                    MemorySegment.ofArray(code),
                    0,
                    MemorySegment.ofAddress(address).reinterpret(size),
                    0,
                    code.length);
            if ((int) mprotect.invokeExact(state, address, size, READ | EXECUTE) != 0) {
                UnsupportedOperationException refused = refused("executable memory", state);
                unmap(address, size);
                throw refused;
            }
            return MemorySegment.ofAddress(address).reinterpret(size, arena, segment -> unmap(address, size));
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static UnsupportedOperationException refused(String what, MemorySegment state) {
        return new UnsupportedOperationException(
                "the system refuses " + what + " (error " + state.get(INT, ERRNO_AT) + ")");
    }

    private void unmap(long address, long size) {
        try (Arena here = Arena.ofConfined()) {
            int failed = (int) munmap.invokeExact(here.allocate(ERRNO), address, size);
            if (failed != 0) throw new IllegalStateException("munmap failed");
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
