package dev.gyre.core.jvm;

import dev.gyre.core.DType;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Packed weights, kept until this is closed or their owner is released. */
final class PackedWeights implements AutoCloseable {
    private record Key(Tensor weight, String order) {}

    /** Packed weights of one owner, usually a mapped file. */
    private static final class Owned {
        private final Arena arena = Arena.ofShared();
        private final Map<Key, Tensor> packed = new ConcurrentHashMap<>();

        private Tensor allocate(DType dtype, Shape shape) {
            return new Tensor(dtype, shape, arena.allocate(dtype.bytes(shape.elements()), 64));
        }
    }

    private final Map<MemorySegment.Scope, Owned> owners = new ConcurrentHashMap<>();

    Tensor of(Tensor weight, String order, JvmMemory.Packing packing) {
        Owned owned = owners.computeIfAbsent(weight.data().scope(), scope -> new Owned());
        return owned.packed.computeIfAbsent(new Key(weight, order), key -> {
            Tensor result = packing.pack(weight, owned::allocate);
            // After packing, drop the mapped file's resident pages.
            if (weight.data().isMapped()) weight.data().unload();
            return result;
        });
    }

    /** Frees the packed weights of this owner. */
    void release(MemorySegment.Scope owner) {
        Owned owned = owners.remove(owner);
        if (owned != null) owned.arena.close();
    }

    /** Bytes of all packed weights. */
    long bytes() {
        return owners.values().stream()
                .flatMap(owned -> owned.packed.values().stream())
                .mapToLong(tensor -> tensor.data().byteSize())
                .sum();
    }

    @Override
    public void close() {
        for (MemorySegment.Scope owner : owners.keySet()) release(owner);
    }
}
