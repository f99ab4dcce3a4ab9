package dev.gyre.arrow;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gyre.core.DType;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import dev.gyre.jsafetensors.SafeTensors;
import dev.gyre.jsafetensors.SafeTensorsWriter;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tensors to pyarrow and back. */
class PyarrowTest {
    @TempDir
    Path folder;

    @Test
    void whatOneWritesTheOtherReads() throws Exception {
        String python = System.getenv().getOrDefault("GYRE_PYTHON", "python3");
        boolean there = run(python, "-c", "import pyarrow, numpy");
        if (System.getenv("GYRE_CI") != null && !python.equals("none"))
            assertTrue(there, "pyarrow: set GYRE_PYTHON to a Python that has it");
        assumeTrue(there, "pyarrow: set GYRE_PYTHON to a Python that has it");
        try (BufferAllocator allocator = new RootAllocator()) {
            write(folder.resolve("columns.arrow"), allocator);
            Path weights = folder.resolve("weights.safetensors");
            new SafeTensorsWriter()
                    .tensor("w", dev.gyre.jsafetensors.StoredType.BF16, 2, 3)
                    .write(weights, (tensor, to) -> to.put(values(DType.BF16, 0).data()));
            try (SafeTensors opened = SafeTensors.open(weights)) {
                TensorTable.toArrow(opened, folder.resolve("table.arrow"), allocator);
            }
            assertTrue(run(python, "src/test/python/tensors.py", folder.toString()), this::said);
            try (ArrowReader reader = ArrowFiles.open(folder.resolve("theirs.arrow"), allocator)) {
                assertTrue(reader.loadNextBatch());
                FixedShapeTensorVector column =
                        (FixedShapeTensorVector) reader.getVectorSchemaRoot().getVector("x");
                assertEquals(
                        List.of("h", "w"),
                        ((FixedShapeTensorType) column.getField().getType()).dimNames());
                assertEquals(Shape.of(2, 3), column.shape());
                assertArrayEquals(
                        new float[] {6, 7, 8, 9, 10, 11}, column.get(1).floats());
            }
        }
    }

    /** Two rows of [2, 3] in a column for each type: 0 to 5, and 6 to 11. */
    private static void write(Path file, BufferAllocator allocator) throws IOException {
        List<FieldVector> columns = new ArrayList<>();
        for (DType dtype : DType.values())
            if (dtype != DType.Q8_0)
                columns.add(FixedShapeTensorVector.of(
                        dtype.name(), List.of(values(dtype, 0), values(dtype, 6)), allocator));
        try (VectorSchemaRoot table = new VectorSchemaRoot(columns)) {
            ArrowFiles.write(file, table);
        }
    }

    private static Tensor values(DType dtype, int from) {
        ByteBuffer bytes = ByteBuffer.allocate((int) dtype.bytes(6)).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = from; i < from + 6; i++)
            switch (dtype) {
                case F32 -> bytes.putFloat(i);
                case F16 -> bytes.putShort(Float.floatToFloat16(i));
                case BF16 -> bytes.putShort((short) (Float.floatToRawIntBits(i) >>> 16));
                case I32 -> bytes.putInt(i);
                case I64 -> bytes.putLong(i);
                case U8 -> bytes.put((byte) i);
                case Q8_0 -> throw new IllegalArgumentException("blocks are no numbers");
            }
        return new Tensor(dtype, Shape.of(2, 3), MemorySegment.ofArray(bytes.array()));
    }

    private boolean run(String... command) throws InterruptedException {
        try {
            return new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(folder.resolve("output.txt").toFile())
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }

    private String said() {
        try {
            return Files.readString(folder.resolve("output.txt"));
        } catch (IOException e) {
            return e.toString();
        }
    }
}
