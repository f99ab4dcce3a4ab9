package dev.gyre.arrow;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.DType;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.arrow.c.ArrowArray;
import org.apache.arrow.c.ArrowSchema;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.ipc.ArrowStreamReader;
import org.apache.arrow.vector.ipc.ArrowStreamWriter;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.arrow.vector.util.TransferPair;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TensorColumnTest {
    private final BufferAllocator allocator = new RootAllocator();

    /** Throws when a buffer was not given back. */
    @AfterEach
    void nothingLeaks() {
        allocator.close();
    }

    static Tensor random(DType dtype, long seed, int... dims) {
        Shape shape = Shape.of(dims);
        byte[] bytes = new byte[(int) dtype.bytes(shape.elements())];
        new Random(seed).nextBytes(bytes);
        return new Tensor(dtype, shape, MemorySegment.ofArray(bytes));
    }

    static void same(Tensor expected, Tensor got) {
        assertEquals(expected.dtype(), got.dtype());
        assertEquals(expected.shape(), got.shape());
        assertEquals(-1, expected.data().mismatch(got.data()));
    }

    @ParameterizedTest
    @EnumSource(names = "Q8_0", mode = EnumSource.Mode.EXCLUDE)
    void goesThroughFileAndStreamAndComesBackToTheBit(DType dtype, @TempDir Path folder) throws IOException {
        List<Tensor> tensors = List.of(random(dtype, 1, 2, 3, 5), random(dtype, 2, 2, 3, 5), random(dtype, 3, 2, 3, 5));
        Path file = folder.resolve("tensors.arrow");
        ByteArrayOutputStream stream = new ByteArrayOutputStream();
        try (FixedShapeTensorVector column = FixedShapeTensorVector.of("x", tensors, allocator);
                VectorSchemaRoot table = VectorSchemaRoot.of(column);
                ArrowStreamWriter writer = new ArrowStreamWriter(table, null, stream)) {
            ArrowFiles.write(file, table);
            writer.start();
            writer.writeBatch();
            writer.end();
        }
        Files.write(folder.resolve("tensors.arrows"), stream.toByteArray());
        try (ArrowReader fromFile = ArrowFiles.open(file, allocator);
                ArrowReader fromStream = ArrowFiles.open(folder.resolve("tensors.arrows"), allocator);
                ArrowReader inMemory =
                        new ArrowStreamReader(new ByteArrayInputStream(stream.toByteArray()), allocator)) {
            for (ArrowReader reader : List.of(fromFile, fromStream, inMemory)) {
                assertTrue(reader.loadNextBatch());
                FixedShapeTensorVector column =
                        (FixedShapeTensorVector) reader.getVectorSchemaRoot().getVector("x");
                assertEquals(3, column.getValueCount());
                for (int i = 0; i < 3; i++) same(tensors.get(i), column.get(i));
            }
        }
        assertArrayEquals(
                new String[] {"tensors.arrow", "tensors.arrows"},
                folder.toFile().list((f, n) -> true) == null
                        ? null
                        : java.util.Arrays.stream(folder.toFile().list())
                                .sorted()
                                .toArray(String[]::new));
    }

    @Test
    void theTypeIsTheCanonicalOne() {
        FixedShapeTensorType type =
                new FixedShapeTensorType(Shape.of(4, 16, 8), List.of("c", "h", "w"), List.of(2, 0, 1));
        assertEquals("arrow.fixed_shape_tensor", type.extensionName());
        assertEquals(new ArrowType.FixedSizeList(512), type.storageType());
        assertEquals(
                "{\"shape\":[4,16,8],\"dim_names\":[\"c\",\"h\",\"w\"],\"permutation\":[2,0,1]}", type.serialize());
        assertEquals(type, type.deserialize(type.storageType(), type.serialize()));
        assertEquals(
                FixedShapeTensorType.of(Shape.of(100, 200)),
                type.deserialize(new ArrowType.FixedSizeList(20000), "{ \"shape\": [100, 200]}"));
        for (String wrong : List.of("", "[1]", "{\"shape\":[3,4]}", "{\"shape\":[2,6],\"dim_names\":[\"a\"]}"))
            assertThrows(
                    IllegalArgumentException.class,
                    () -> type.deserialize(new ArrowType.FixedSizeList(13), wrong),
                    wrong);
        assertThrows(
                IllegalArgumentException.class,
                () -> new FixedShapeTensorType(Shape.of(2, 3), List.of(), List.of(0, 2)));
    }

    @Test
    void bf16IsWordsThatSaySo() {
        Field field = FixedShapeTensorType.of(Shape.of(2)).field("x", DType.BF16);
        assertEquals("BF16", field.getMetadata().get("gyre.dtype"));
        assertEquals(
                new ArrowType.Int(16, false), field.getChildren().getFirst().getType());
        assertTrue(Elements.dtype(new Field(
                        "x",
                        new FieldType(true, FixedShapeTensorType.of(Shape.of(2)), null, Map.of()),
                        field.getChildren()))
                .isEmpty());
    }

    @Test
    void rowsMayBeNull() {
        Tensor x = random(DType.F32, 1, 3);
        try (FixedShapeTensorVector column =
                FixedShapeTensorVector.create(FixedShapeTensorType.of(x.shape()).field("x", DType.F32), allocator)) {
            column.allocate(3);
            column.set(1, x);
            column.setValueCount(3);
            assertEquals(2, column.getNullCount());
            assertNull(column.getObject(0));
            same(x, column.getObject(1));
            assertEquals(
                    "column x: row 2 is null",
                    assertThrows(IllegalStateException.class, () -> column.get(2))
                            .getMessage());
            assertEquals(
                    "column x: a tensor F32 [3] is expected, got I32 [3]",
                    assertThrows(IllegalArgumentException.class, () -> column.set(0, random(DType.I32, 1, 3)))
                            .getMessage());
        }
    }

    @Test
    void aTensorOutsideTheHeapIsNotCopied() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(4 * 24, 64);
            for (int i = 0; i < 24; i++) memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, i);
            Tensor tensor = new Tensor(DType.F32, Shape.of(4, 2, 3), memory);
            try (FixedShapeTensorVector column = FixedShapeTensorVector.wrap("x", tensor, allocator)) {
                assertEquals(4, column.getValueCount());
                assertEquals(0, column.getNullCount());
                assertEquals(
                        memory.address(),
                        column.getUnderlyingVector().getDataVector().getDataBufferAddress());
                assertArrayEquals(
                        new float[] {6, 7, 8, 9, 10, 11}, column.get(1).floats());
                memory.setAtIndex(ValueLayout.JAVA_FLOAT, 6, -1);
                assertEquals(-1, column.get(1).floats()[0]);
            }
        }
        assertThrows(
                IllegalArgumentException.class,
                () -> FixedShapeTensorVector.wrap("x", random(DType.F32, 1, 2, 2), allocator));
    }

    @Test
    void aViewEndsWithItsArena() {
        Tensor x = random(DType.F32, 1, 3);
        try (FixedShapeTensorVector column = FixedShapeTensorVector.of("x", List.of(x), allocator)) {
            Tensor view;
            try (Arena arena = Arena.ofConfined()) {
                view = column.view(0, arena);
                assertEquals(
                        column.getUnderlyingVector().getDataVector().getDataBufferAddress(),
                        view.data().address());
                same(x, view);
            }
            assertThrows(IllegalStateException.class, view::floats);
        }
    }

    @Test
    void partsOfATableStayTensors() {
        List<Tensor> tensors = List.of(random(DType.F32, 1, 3), random(DType.F32, 2, 3), random(DType.F32, 3, 3));
        try (FixedShapeTensorVector column = FixedShapeTensorVector.of("x", tensors, allocator);
                VectorSchemaRoot table = VectorSchemaRoot.of(column);
                VectorSchemaRoot part = table.slice(1, 2)) {
            same(tensors.get(2), ((FixedShapeTensorVector) part.getVector("x")).get(1));
            TransferPair moved = column.getTransferPair(allocator);
            moved.transfer();
            try (FixedShapeTensorVector to = (FixedShapeTensorVector) moved.getTo()) {
                same(tensors.get(0), to.get(0));
                assertEquals(column.getField(), to.getField());
            }
        }
    }

    @Test
    void isHandedOverWithoutACopy() {
        Tensor x = random(DType.BF16, 1, 2, 3);
        long address;
        try (ArrowArray array = ArrowArray.allocateNew(allocator);
                ArrowSchema schema = ArrowSchema.allocateNew(allocator)) {
            try (FixedShapeTensorVector column = FixedShapeTensorVector.of("x", List.of(x), allocator);
                    VectorSchemaRoot table = VectorSchemaRoot.of(column)) {
                address = column.getUnderlyingVector().getDataVector().getDataBufferAddress();
                Handover.give(table, allocator, array.memoryAddress(), schema.memoryAddress());
            }
            try (BufferAllocator other = new RootAllocator();
                    VectorSchemaRoot taken = Handover.take(other, array.memoryAddress(), schema.memoryAddress())) {
                FixedShapeTensorVector column = (FixedShapeTensorVector) taken.getVector("x");
                assertEquals(
                        address, column.getUnderlyingVector().getDataVector().getDataBufferAddress());
                same(x, column.get(0));
            }
        }
    }

    @Test
    void whatIsNoArrowFileIsSaid(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("x.arrow");
        assertTrue(assertThrows(IOException.class, () -> ArrowFiles.open(file, allocator))
                .getMessage()
                .contains("there is no such file"));
        for (byte[] bytes : new byte[][] {{}, {1, 2, 3}, "ARROW1 and then nothing".getBytes(), new byte[1000]}) {
            Files.write(file, bytes);
            String message = assertThrows(IOException.class, () -> ArrowFiles.open(file, allocator))
                    .getMessage();
            assertTrue(message.startsWith(file + ": no Arrow file or stream, or a damaged one"), message);
        }
        Schema schema = new Schema(List.of(FixedShapeTensorType.of(Shape.of(2)).field("x", DType.F32)));
        try (VectorSchemaRoot table = VectorSchemaRoot.create(schema, allocator)) {
            Path gone = folder.resolve("no/x.arrow");
            assertTrue(assertThrows(IOException.class, () -> ArrowFiles.write(gone, table))
                    .getMessage()
                    .contains("there is no folder"));
            assertThrows(
                    IOException.class,
                    () -> ArrowFiles.write(folder.resolve("y.arrow"), table, () -> {
                        throw new IOException("on purpose");
                    }));
            assertEquals(List.of("x.arrow"), List.of(folder.toFile().list()));
        }
    }
}
