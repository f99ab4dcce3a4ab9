package dev.gyre.core;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/** Weights that kernels read in an order of their own: packed once, kept until closed. */
final class PackedWeights implements AutoCloseable {
    private record Key(Tensor weight, String order) {}

    private final Arena arena = Arena.ofShared();
    private final Map<Key, Tensor> packed = new HashMap<>();
    private long bytes;

    synchronized Tensor of(Tensor weight, String order, JvmMemory.Packing packing) {
        Key key = new Key(weight, order);
        Tensor known = packed.get(key);
        if (known != null) return known;
        Tensor made = packing.pack(weight, shape -> allocate(weight.dtype(), shape));
        // What was read of a mapped file need not stay in memory beside the copy.
        if (weight.data().isMapped()) weight.data().unload();
        packed.put(key, made);
        return made;
    }

    private Tensor allocate(DType dtype, Shape shape) {
        MemorySegment data = arena.allocate((long) shape.elements() * dtype.bytes(), 64);
        bytes += data.byteSize();
        return new Tensor(dtype, shape, data);
    }

    /** Bytes that packed weights take. */
    synchronized long bytes() {
        return bytes;
    }

    @Override
    public synchronized void close() {
        packed.clear();
        if (arena.scope().isAlive()) arena.close();
    }
}
