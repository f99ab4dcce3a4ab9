package dev.gyre.tornado;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.FieldModel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.AccessFlag;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.WorkerGrid2D;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task2;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.HalfFloat;
import uk.ac.manchester.tornado.api.types.arrays.ByteArray;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

class StandInTest {
    private static final long HEADER = TornadoNativeArray.ARRAY_HEADER;

    @Test
    void arraysHoldWhatIsPutIn() {
        FloatArray floats = FloatArray.fromElements(1.5f, -2, 3);
        floats.set(1, 7);
        assertArrayEquals(new float[] {1.5f, 7, 3}, floats.toHeapArray());
        assertEquals(12, floats.getNumBytesOfSegment());
        assertEquals(HEADER + 12, floats.getNumBytesOfSegmentWithHeader());
        IntArray ints = new IntArray(2);
        ints.init(9);
        assertArrayEquals(new int[] {9, 9}, ints.toHeapArray());
        ByteArray bytes = ByteArray.fromArray(new byte[] {1, -1});
        assertEquals(-1, bytes.get(1));
        HalfFloatArray halves = new HalfFloatArray(1);
        halves.set(0, new HalfFloat(0.1f));
        assertEquals(0.1f, halves.get(0).getFloat32(), 1e-4f);
        assertThrows(IndexOutOfBoundsException.class, () -> floats.get(3));
        assertThrows(IndexOutOfBoundsException.class, () -> floats.set(-1 - (int) HEADER, 0));
    }

    @Test
    void aWrappedSegmentIsSharedAndHasTheCountInFront() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(HEADER + 8, 8);
            FloatArray array = FloatArray.fromSegmentShallow(memory);
            assertEquals(2, array.getSize());
            assertEquals(2, memory.get(ValueLayout.JAVA_INT, 0));
            array.set(1, 5);
            assertEquals(5, memory.get(ValueLayout.JAVA_FLOAT, HEADER + 4));
            assertThrows(
                    IllegalArgumentException.class, () -> FloatArray.fromSegmentShallow(memory.asSlice(0, HEADER + 3)));
        }
    }

    @Test
    void aCopiedSegmentIsNotShared() {
        float[] values = {1, 2};
        FloatArray array = FloatArray.fromSegment(MemorySegment.ofArray(values));
        values[0] = 9;
        assertEquals(1, array.get(0));
    }

    @Test
    void parallelIsThereAtRunTimeWithTheRealTargets() {
        assertEquals(
                RetentionPolicy.RUNTIME,
                Parallel.class.getAnnotation(Retention.class).value());
        assertEquals(
                Set.of(ElementType.LOCAL_VARIABLE, ElementType.TYPE, ElementType.TYPE_USE, ElementType.TYPE_PARAMETER),
                Set.of(Parallel.class.getAnnotation(Target.class).value()));
    }

    @Test
    void aMethodReferenceCanBeWrittenOut() throws IOException {
        Task2<FloatArray, FloatArray> task = StandInTest::kernel;
        try (ObjectOutputStream out = new ObjectOutputStream(new ByteArrayOutputStream())) {
            out.writeObject(task);
        }
        assertNotNull(task);
    }

    static void kernel(FloatArray x, FloatArray y) {
        y.set(0, x.get(0));
    }

    @Test
    void mathIsJavas() {
        assertEquals((float) Math.exp(1.25f), TornadoMath.exp(1.25f));
        assertEquals(-2f, TornadoMath.min(-2f, 3f));
        assertEquals(3f, TornadoMath.clamp(5f, 1f, 3f));
    }

    @Test
    void aContextIsTheFirstThreads() {
        KernelContext context = new KernelContext();
        context.localBarrier();
        assertEquals(0, context.globalIdx);
        assertEquals(16, context.allocateFloatLocalArray(16).length);
    }

    @Test
    void gridsAreKept() {
        GridScheduler scheduler = new GridScheduler("graph.task", new WorkerGrid2D(8, 4));
        assertArrayEquals(new long[] {8, 4, 1}, scheduler.get("graph.task").getGlobalWork());
        assertEquals(2, scheduler.get("graph.task").dimension());
    }

    @Test
    void hostClassesSayThatTornadoVmIsMissing() {
        for (org.junit.jupiter.api.function.Executable call : List.<org.junit.jupiter.api.function.Executable>of(
                () -> new TaskGraph("graph"), () -> new TornadoExecutionPlan().close())) {
            Exception e = assertThrows(UnsupportedOperationException.class, call);
            assertTrue(e.getMessage().startsWith("TornadoVM is not on this JVM"), e.getMessage());
        }
    }

    /** javac writes a constant's value into whoever uses it, who would then keep the stand-in's on the real thing. */
    @Test
    void noPublicFieldIsAConstantThatJavacInlines() throws IOException {
        Path root = Path.of(URI.create(Parallel.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toString()));
        List<String> constants = new ArrayList<>();
        int fields = 0;
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".class")).toList())
                for (FieldModel field : ClassFile.of().parse(file).fields()) {
                    fields++;
                    if (field.flags().has(AccessFlag.PUBLIC)
                            && field.findAttribute(Attributes.constantValue()).isPresent())
                        constants.add(file.getFileName() + " " + field.fieldName());
                }
        }
        assertEquals(List.of(), constants);
        assertTrue(fields > 20, "only " + fields + " fields were looked at");
    }
}
