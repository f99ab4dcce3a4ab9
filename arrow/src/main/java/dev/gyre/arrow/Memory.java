package dev.gyre.arrow;

import java.lang.foreign.MemorySegment;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.ForeignAllocation;

/** Arrow's buffers as memory segments, and the other way round. */
final class Memory {
    private Memory() {}

    /** A buffer's bytes; nothing notices when they are read after it is freed. */
    @SuppressWarnings("restricted")
    static MemorySegment of(ArrowBuf buffer) {
        return MemorySegment.ofAddress(buffer.memoryAddress()).reinterpret(buffer.capacity());
    }

    /** A buffer over somebody else's memory, counted as the allocator's; to be closed once. */
    static ArrowBuf borrow(MemorySegment memory, BufferAllocator allocator) {
        return allocator.wrapForeignAllocation(new Borrowed(memory));
    }

    /** Holds the segment until it is given back, which keeps one of the garbage collector's from being freed. */
    private static final class Borrowed extends ForeignAllocation {
        private MemorySegment memory;

        Borrowed(MemorySegment memory) {
            super(memory.byteSize(), memory.address());
            this.memory = memory;
        }

        @Override
        protected void release0() {
            memory = null;
        }
    }
}
