package dev.gyre.arrow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.jsafetensors.SafeTensors;
import dev.gyre.jsafetensors.SafeTensorsWriter;
import dev.gyre.jsafetensors.StoredType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TensorTableTest {
    private final BufferAllocator allocator = new RootAllocator();

    @AfterEach
    void nothingLeaks() {
        allocator.close();
    }

    private static Path tensors(Path folder) throws IOException {
        Path file = folder.resolve("a.safetensors");
        Random random = new Random(1);
        new SafeTensorsWriter()
                .metadata("norm_groups", "8")
                .tensor("a.weight", StoredType.BF16, 3, 5)
                .tensor("b", StoredType.F32)
                .tensor("empty", StoredType.I64, 0, 7)
                .tensor("ü", StoredType.U8, 11)
                .tensor("half", StoredType.F16, 2, 2, 2)
                .write(file, (tensor, to) -> {
                    byte[] bytes = new byte[(int) tensor.bytes()];
                    random.nextBytes(bytes);
                    to.put(MemorySegment.ofArray(bytes));
                });
        return file;
    }

    @Test
    void comesBackToTheByte(@TempDir Path folder) throws IOException {
        Path file = tensors(folder), table = folder.resolve("a.arrow"), back = folder.resolve("b.safetensors");
        try (SafeTensors opened = SafeTensors.open(file)) {
            TensorTable.toArrow(opened, table, allocator);
        }
        TensorTable.toSafeTensors(table, back, allocator);
        assertEquals(-1, Files.mismatch(file, back));
    }

    @Test
    void hasARowForEachTensor(@TempDir Path folder) throws IOException {
        Path table = folder.resolve("a.arrow");
        try (SafeTensors opened = SafeTensors.open(tensors(folder))) {
            TensorTable.toArrow(opened, table, allocator);
        }
        try (ArrowReader reader = ArrowFiles.open(table, allocator)) {
            VectorSchemaRoot rows = reader.getVectorSchemaRoot();
            assertEquals("8", rows.getSchema().getCustomMetadata().get("norm_groups"));
            StringBuilder all = new StringBuilder();
            while (reader.loadNextBatch())
                all.append(rows.getVector("name").getObject(0))
                        .append(' ')
                        .append(rows.getVector("dtype").getObject(0))
                        .append(' ')
                        .append(rows.getVector("shape").getObject(0))
                        .append(' ')
                        .append(((byte[]) rows.getVector("data").getObject(0)).length)
                        .append('\n');
            assertEquals(
                    """
                    a.weight BF16 [3,5] 30
                    b F32 [] 4
                    empty I64 [0,7] 0
                    ü U8 [11] 11
                    half F16 [2,2,2] 16
                    """,
                    all.toString());
        }
    }

    @Test
    void anotherTableIsRefused(@TempDir Path folder) throws IOException {
        Path other = folder.resolve("other.arrow"), to = folder.resolve("to.safetensors");
        try (FixedShapeTensorVector column = FixedShapeTensorVector.of(
                        "x", java.util.List.of(TensorColumnTest.random(dev.gyre.core.DType.F32, 1, 2)), allocator);
                VectorSchemaRoot table = VectorSchemaRoot.of(column)) {
            ArrowFiles.write(other, table);
        }
        String message = assertThrows(IOException.class, () -> TensorTable.toSafeTensors(other, to, allocator))
                .getMessage();
        assertTrue(message.startsWith(other + ": a table of tensors, "), message);
        assertTrue(Files.notExists(to));
    }
}
