package dev.gyre.core;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** Weights that kernels read in an order of their own: packed once, kept until closed. */
final class PackedWeights implements AutoCloseable {
    private record Key(Tensor weight, String order) {}

    private final Arena arena = Arena.ofShared();
    private final Map<Key, Tensor> packed = new ConcurrentHashMap<>();
    private final AtomicLong bytes = new AtomicLong();

    Tensor of(Tensor weight, String order, JvmMemory.Packing packing) {
        return packed.computeIfAbsent(new Key(weight, order), key -> {
            Tensor made = packing.pack(weight, this::allocate);
            // What was read of a mapped file need not stay in memory beside the copy.
            if (weight.data().isMapped()) weight.data().unload();
            return made;
        });
    }

    private Tensor allocate(DType dtype, Shape shape) {
        MemorySegment data = arena.allocate((long) shape.elements() * dtype.bytes(), 64);
        bytes.addAndGet(data.byteSize());
        return new Tensor(dtype, shape, data);
    }

    /** Bytes that packed weights take. */
    long bytes() {
        return bytes.get();
    }

    @Override
    public synchronized void close() {
        if (arena.scope().isAlive()) arena.close();
    }
}
