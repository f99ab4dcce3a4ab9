package dev.gyre.core.jvm;

import dev.gyre.core.DType;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** A cache of packed weights: each is packed once and kept until this is closed or its owner is released. */
final class PackedWeights implements AutoCloseable {
    private record Key(Tensor weight, String layout) {}

    /** The packed weights of one owner, usually a mapped file. */
    private static final class Owned {
        private final Arena arena = Arena.ofShared();
        private final Map<Key, Tensor> packed = new ConcurrentHashMap<>();

        private Tensor allocate(DType dtype, Shape shape) {
            return new Tensor(dtype, shape, arena.allocate(dtype.bytes(shape.elements()), 64));
        }
    }

    private final Map<MemorySegment.Scope, Owned> owners = new ConcurrentHashMap<>();

    Tensor of(Tensor weight, String layout, JvmMemory.Packing packing) {
        Owned owned = owners.computeIfAbsent(weight.data().scope(), scope -> new Owned());
        return owned.packed.computeIfAbsent(new Key(weight, layout), key -> {
            Tensor copy = packing.pack(weight, owned::allocate);
            // After packing, drop the mapped file's resident pages.
            if (weight.data().isMapped()) weight.data().unload();
            return copy;
        });
    }

    /** Frees the packed copies of this owner's weights. */
    void release(MemorySegment.Scope owner) {
        Owned owned = owners.remove(owner);
        if (owned != null) owned.arena.close();
    }

    /** The size of all packed weights in bytes. */
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
