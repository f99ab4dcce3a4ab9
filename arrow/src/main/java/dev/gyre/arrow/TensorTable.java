package dev.gyre.arrow;

import dev.gyre.jsafetensors.SafeTensors;
import dev.gyre.jsafetensors.SafeTensorsWriter;
import dev.gyre.jsafetensors.StoredType;
import dev.gyre.jsafetensors.TensorInfo;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.LargeVarBinaryVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.ipc.message.ArrowFieldNode;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * Safetensors files as Arrow tables and back: a row for each tensor, of {@code name}, {@code dtype} as the file has it, {@code shape}
 * and {@code data}, its bytes. (A column for each tensor would want them all to have as many rows, and a thousand columns.) Every row
 * is a record batch, so a file may be larger than memory. A file's {@code __metadata__} is the schema's.
 */
public final class TensorTable {
    private static final String NAME = "name", DTYPE = "dtype", SHAPE = "shape", DATA = "data";

    private TensorTable() {}

    /** The table's columns. */
    public static Schema schema(Map<String, String> metadata) {
        Field dim = Field.notNullable("item", new ArrowType.Int(64, true));
        return new Schema(
                List.of(
                        Field.notNullable(NAME, new ArrowType.Utf8()),
                        Field.notNullable(DTYPE, new ArrowType.Utf8()),
                        new Field(SHAPE, FieldType.notNullable(new ArrowType.List()), List.of(dim)),
                        Field.notNullable(DATA, new ArrowType.LargeBinary())),
                metadata);
    }

    /**
     * Writes an Arrow file of a safetensors file.
     *
     * @throws UnsupportedOperationException when a tensor is of a type that cannot be read
     */
    public static void toArrow(SafeTensors from, Path to, BufferAllocator allocator) throws IOException {
        try (VectorSchemaRoot table = VectorSchemaRoot.create(schema(from.metadata()), allocator)) {
            Iterator<String> names = from.names().iterator();
            ArrowFiles.write(to, table, () -> {
                if (!names.hasNext()) return false;
                TensorInfo tensor = from.info(names.next());
                fill(table, tensor, from.data(tensor.name()), allocator);
                return true;
            });
        }
    }

    private static void fill(VectorSchemaRoot table, TensorInfo tensor, MemorySegment data, BufferAllocator allocator) {
        table.clear();
        put(table.getVector(NAME), tensor.name());
        put(table.getVector(DTYPE), tensor.dtype().name());
        List<Long> dims = tensor.shape();
        ListVector shape = (ListVector) table.getVector(SHAPE);
        shape.startNewValue(0);
        for (int i = 0; i < dims.size(); i++) ((BigIntVector) shape.getDataVector()).setSafe(i, dims.get(i));
        shape.endValue(0, dims.size());
        put((LargeVarBinaryVector) table.getVector(DATA), data, allocator);
        table.setRowCount(1);
    }

    private static void put(FieldVector column, String text) {
        ((VarCharVector) column).setSafe(0, text.getBytes(StandardCharsets.UTF_8));
    }

    /** One value, however long. */
    private static void put(LargeVarBinaryVector column, MemorySegment data, BufferAllocator allocator) {
        long size = data.byteSize();
        try (ArrowBuf bytes = allocator.buffer(Math.max(size, 1));
                ArrowBuf offsets = allocator.buffer(16)) {
            Memory.of(bytes).asSlice(0, size).copyFrom(data);
            bytes.writerIndex(size);
            offsets.setLong(0, 0);
            offsets.setLong(8, size);
            offsets.writerIndex(16);
            column.loadFieldBuffers(new ArrowFieldNode(1, 0), List.of(allocator.getEmpty(), offsets, bytes));
        }
    }

    /**
     * Writes a safetensors file of an Arrow file of such a table. It is read twice: safetensors files say first what is in them.
     *
     * @throws IOException when it cannot be read, or is no such table
     */
    public static void toSafeTensors(Path from, Path to, BufferAllocator allocator) throws IOException {
        SafeTensorsWriter writer = new SafeTensorsWriter();
        try (ArrowReader rows = open(from, allocator)) {
            VectorSchemaRoot table = rows.getVectorSchemaRoot();
            table.getSchema().getCustomMetadata().forEach(writer::metadata);
            while (rows.loadNextBatch()) for (int i = 0; i < table.getRowCount(); i++) declare(from, table, i, writer);
        }
        try (ArrowReader rows = open(from, allocator)) {
            Row at = new Row(rows);
            writer.write(to, (tensor, sink) -> sink.put(at.next()));
        }
    }

    private static ArrowReader open(Path from, BufferAllocator allocator) throws IOException {
        ArrowReader reader = ArrowFiles.open(from, allocator);
        List<Field> columns = reader.getVectorSchemaRoot().getSchema().getFields();
        if (columns.equals(schema(Map.of()).getFields())) return reader;
        reader.close();
        throw new IOException(from + ": a table of tensors, " + schema(Map.of()) + ", is expected, got " + columns);
    }

    private static void declare(Path from, VectorSchemaRoot table, int i, SafeTensorsWriter writer) throws IOException {
        String name = table.getVector(NAME).getObject(i).toString();
        List<?> dims = (List<?>) table.getVector(SHAPE).getObject(i);
        try {
            writer.tensor(
                    name,
                    StoredType.valueOf(table.getVector(DTYPE).getObject(i).toString()),
                    dims.stream().mapToLong(dim -> (Long) dim).toArray());
        } catch (IllegalArgumentException e) {
            throw new IOException(from + ": " + e.getMessage(), e);
        }
    }

    /** Goes through all batches' rows. */
    private static final class Row {
        private final ArrowReader reader;
        private int row = -1;

        Row(ArrowReader reader) {
            this.reader = reader;
        }

        MemorySegment next() throws IOException {
            VectorSchemaRoot table = reader.getVectorSchemaRoot();
            while (++row >= table.getRowCount()) {
                if (!reader.loadNextBatch()) throw new IOException("rows went missing while the file was being read");
                row = -1;
            }
            LargeVarBinaryVector data = (LargeVarBinaryVector) table.getVector(DATA);
            long from = data.getOffsetBuffer().getLong(8L * row),
                    to = data.getOffsetBuffer().getLong(8L * row + 8);
            return Memory.of(data.getDataBuffer()).asSlice(from, to - from);
        }
    }
}
