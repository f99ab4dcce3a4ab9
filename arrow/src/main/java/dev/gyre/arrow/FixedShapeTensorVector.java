package dev.gyre.arrow;

import dev.gyre.core.DType;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.util.hash.ArrowBufHasher;
import org.apache.arrow.vector.BitVectorHelper;
import org.apache.arrow.vector.ExtensionTypeVector;
import org.apache.arrow.vector.ValueVector;
import org.apache.arrow.vector.complex.FixedSizeListVector;
import org.apache.arrow.vector.ipc.message.ArrowFieldNode;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.util.CallBack;
import org.apache.arrow.vector.util.TransferPair;

/** A column of tensors of one shape and type. Its memory is the allocator's that it was made with, and ends when it is closed. */
public final class FixedShapeTensorVector extends ExtensionTypeVector<FixedSizeListVector> {
    private final FieldType type;

    FixedShapeTensorVector(String name, FieldType type, BufferAllocator allocator, FixedSizeListVector storage) {
        super(name, allocator, storage);
        this.type = type;
    }

    /** An empty column; {@link #allocate} gives it room. */
    public static FixedShapeTensorVector create(Field field, BufferAllocator allocator) {
        return (FixedShapeTensorVector) field.createVector(allocator);
    }

    /**
     * A column with copies of tensors.
     *
     * @param tensors at least one, all of one type and shape
     */
    public static FixedShapeTensorVector of(String name, List<Tensor> tensors, BufferAllocator allocator) {
        Tensor first = tensors.getFirst();
        FixedShapeTensorVector column =
                create(FixedShapeTensorType.of(first.shape()).field(name, first.dtype()), allocator);
        try {
            column.allocate(tensors.size());
            for (int i = 0; i < tensors.size(); i++) column.set(i, tensors.get(i));
            column.setValueCount(tensors.size());
            return column;
        } catch (RuntimeException | Error e) {
            column.close();
            throw e;
        }
    }

    /**
     * A column over a tensor's own memory, nothing copied: its first dimension becomes the rows. The memory must stay as it is until the
     * column, and whatever it was handed to, is closed.
     *
     * @param tensor [rows, …] outside the heap, at a multiple of 8 bytes
     * @throws IllegalArgumentException when it lies elsewhere
     */
    public static FixedShapeTensorVector wrap(String name, Tensor tensor, BufferAllocator allocator) {
        MemorySegment data = tensor.data();
        if (tensor.shape().rank() == 0)
            throw new IllegalArgumentException(
                    "column " + name + ": a tensor of at least one dimension is expected, got a scalar");
        if (!data.isNative())
            throw new IllegalArgumentException(
                    "column " + name + ": memory outside the heap is expected, got a tensor in a Java array");
        if (data.address() % 8 != 0)
            throw new IllegalArgumentException(
                    "column " + name + ": memory at a multiple of 8 bytes is expected, got one at " + data.address());
        List<Integer> dims = tensor.shape().dims();
        int rows = dims.getFirst();
        FixedShapeTensorType type = FixedShapeTensorType.of(new Shape(dims.subList(1, dims.size())));
        FixedShapeTensorVector column = create(type.field(name, tensor.dtype()), allocator);
        try (ArrowBuf buffer = Memory.borrow(data, allocator)) {
            FixedSizeListVector list = column.getUnderlyingVector();
            ArrowBuf all = allocator.getEmpty(); // no bitmap: everything is there
            list.loadFieldBuffers(new ArrowFieldNode(rows, 0), List.of(all));
            list.getDataVector()
                    .loadFieldBuffers(new ArrowFieldNode(tensor.shape().elements(), 0), List.of(all, buffer));
            return column;
        } catch (RuntimeException | Error e) {
            column.close();
            throw e;
        }
    }

    /** Makes room for so many rows, all null. */
    public void allocate(int rows) {
        if ((long) rows * shape().elements() > Integer.MAX_VALUE)
            throw new IllegalArgumentException(
                    "column " + getName() + ": at most 2^31-1 elements in all, got " + rows + " tensors of " + shape());
        FixedSizeListVector list = getUnderlyingVector();
        list.setInitialCapacity(rows);
        list.allocateNew();
    }

    /** The shape of every tensor in it. */
    public Shape shape() {
        return ((FixedShapeTensorType) type.getType()).shape();
    }

    /** @throws IllegalStateException when its elements are of a type that tensors have not */
    public DType dtype() {
        return Elements.dtype(getField())
                .orElseThrow(() -> new IllegalStateException("column " + getName()
                        + ": F32, F16, I32, I64, U8 or marked BF16 is expected, got "
                        + getUnderlyingVector().getDataVector().getField().getType()));
    }

    /** Copies a tensor into a row that there is room for. */
    public void set(int row, Tensor tensor) {
        if (tensor.dtype() != dtype() || !tensor.shape().equals(shape()))
            throw new IllegalArgumentException("column " + getName() + ": a tensor " + dtype() + " " + shape()
                    + " is expected, got " + tensor.dtype() + " " + tensor.shape());
        FixedSizeListVector list = getUnderlyingVector();
        list.setNotNull(row);
        int elements = shape().elements();
        ArrowBuf present = list.getDataVector().getValidityBuffer();
        for (int i = row * elements; i < (row + 1) * elements; i++) BitVectorHelper.setBit(present, i);
        elements(row).copyFrom(tensor.data());
    }

    /**
     * A copy of a row.
     *
     * @throws IllegalStateException when the row is null
     */
    public Tensor get(int row) {
        return new Tensor(dtype(), shape(), MemorySegment.ofArray(elements(row).toArray(ValueLayout.JAVA_BYTE)));
    }

    /**
     * A row itself, nothing copied.
     *
     * @param arena what ends the view; to be closed before the column is: reading it later fails, reading memory that Arrow has freed
     *     would not
     * @throws IllegalStateException when the row is null
     */
    @SuppressWarnings("restricted")
    public Tensor view(int row, Arena arena) {
        MemorySegment view = elements(row).reinterpret(arena, null).asReadOnly();
        return new Tensor(dtype(), shape(), view);
    }

    private MemorySegment elements(int row) {
        if (isNull(row)) throw new IllegalStateException("column " + getName() + ": row " + row + " is null");
        long size = dtype().bytes(shape().elements());
        return Memory.of(getUnderlyingVector().getDataVector().getDataBuffer()).asSlice(row * size, size);
    }

    /** {@link #get}; null where the row is. */
    @Override
    public Tensor getObject(int row) {
        return isNull(row) ? null : get(row);
    }

    @Override
    public Field getField() {
        return new Field(getName(), type, getUnderlyingVector().getField().getChildren());
    }

    @Override
    public TransferPair getTransferPair(String name, BufferAllocator allocator) {
        Field here = getField();
        return getTransferPair(new Field(name, here.getFieldType(), here.getChildren()), allocator);
    }

    @Override
    public TransferPair getTransferPair(Field field, BufferAllocator allocator) {
        return makeTransferPair(create(field, allocator));
    }

    @Override
    public TransferPair getTransferPair(String name, BufferAllocator allocator, CallBack callBack) {
        return getTransferPair(name, allocator);
    }

    @Override
    public TransferPair getTransferPair(Field field, BufferAllocator allocator, CallBack callBack) {
        return getTransferPair(field, allocator);
    }

    @Override
    public TransferPair getTransferPair(BufferAllocator allocator) {
        return getTransferPair(getName(), allocator);
    }

    /** Moves what the storage holds; what it moves to is a column of tensors, too. */
    @Override
    public TransferPair makeTransferPair(ValueVector target) {
        TransferPair storage =
                getUnderlyingVector().makeTransferPair(((FixedShapeTensorVector) target).getUnderlyingVector());
        return new TransferPair() {
            @Override
            public void transfer() {
                storage.transfer();
            }

            @Override
            public void splitAndTransfer(int from, int length) {
                storage.splitAndTransfer(from, length);
            }

            @Override
            public ValueVector getTo() {
                return target;
            }

            @Override
            public void copyValueSafe(int from, int to) {
                storage.copyValueSafe(from, to);
            }
        };
    }

    @Override
    public int hashCode(int row) {
        return hashCode(row, null);
    }

    @Override
    public int hashCode(int row, ArrowBufHasher hasher) {
        return getUnderlyingVector().hashCode(row, hasher);
    }
}
