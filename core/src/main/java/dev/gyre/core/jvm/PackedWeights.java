package dev.gyre.core.jvm;

import dev.gyre.core.DType;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Weights that kernels read in an order of their own: packed once, kept until closed or until their owner goes. */
final class PackedWeights implements AutoCloseable {
    private record Key(Tensor weight, String order) {}

    /** What was packed of the weights of one owner, a mapped file as a rule. */
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
            Tensor made = packing.pack(weight, owned::allocate);
            // What was read of a mapped file need not stay in memory beside the copy.
            if (weight.data().isMapped()) weight.data().unload();
            return made;
        });
    }

    /** Frees what was packed of this owner's weights. */
    void release(MemorySegment.Scope owner) {
        Owned owned = owners.remove(owner);
        if (owned != null) owned.arena.close();
    }

    /** Bytes that packed weights take. */
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
