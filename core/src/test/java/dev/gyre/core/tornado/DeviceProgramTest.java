package dev.gyre.core.tornado;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gyre.core.DType;
import dev.gyre.core.DevicePanels;
import dev.gyre.core.Graph;
import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Shape;
import dev.gyre.core.Sum;
import dev.gyre.core.Target;
import dev.gyre.core.Tensor;
import dev.gyre.core.Twice;
import dev.gyre.core.Value;
import java.io.Serializable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;

/** The program that a graph is compiled to, without a device. */
class DeviceProgramTest {
    private static final Target TARGET = new Target(Target.KernelKind.SIMD, false);

    private static Graph chain(Tensor weight, int links) {
        Graph graph = new Graph();
        Value x = graph.input("x", DType.F32, 2, 3);
        Value w = graph.constant("w", weight);
        for (int i = 0; i < links; i++) x = Sum.of(Twice.of(x), w);
        graph.output(x);
        return graph;
    }

    private static Tensor weight() {
        return Tensor.of(new float[6], 2, 3);
    }

    private static Device device(long largest, long memory) {
        return new Device(
                "0:0", "Abacus", "Wood", "OpenCL", "GPU", 4, memory, largest, 1 << 16, 256, false, Optional.empty());
    }

    private static Device device(String id, String language, String kind) {
        return new Device(id, "Abacus", "Wood", language, kind, 4, 1, 1, 1 << 16, 256, false, Optional.empty());
    }

    @Test
    void gpusComeFirstAndNvidiasByCudaThenPtx() {
        Device cpu = device("0:0", "OpenCL", "CPU"), openCl = device("0:1", "OpenCL", "GPU");
        Device other = device("0:2", "OpenCL", "GPU"),
                ptx = device("1:0", "PTX", "GPU"),
                cuda = device("2:0", "CUDA", "GPU");
        assertEquals(cuda, TornadoDevices.preferred(List.of(cpu, openCl, ptx, cuda)));
        assertEquals(ptx, TornadoDevices.preferred(List.of(cpu, openCl, ptx)));
        assertEquals(openCl, TornadoDevices.preferred(List.of(cpu, openCl, other)));
        assertEquals(cpu, TornadoDevices.preferred(List.of(cpu)));
        assertThrows(UnsupportedOperationException.class, () -> TornadoDevices.preferred(List.of()));
    }

    @Test
    void equalGraphsOfTheSameWeightsAreEqualPrograms() {
        Tensor weight = weight();
        DeviceProgram one = DeviceProgram.of(chain(weight, 5), TARGET).program();
        assertEquals(one, DeviceProgram.of(chain(weight, 5), TARGET).program());
        assertNotEquals(one, DeviceProgram.of(chain(weight(), 5), TARGET).program());
        assertNotEquals(one, DeviceProgram.of(chain(weight, 6), TARGET).program());
    }

    @Test
    void aProgramIsNotAliveOnceItsWeightsAreClosed() {
        DeviceProgram program;
        try (Arena arena = Arena.ofConfined()) {
            Tensor weight = new Tensor(DType.F32, Shape.of(2, 3), arena.allocate(24));
            program = DeviceProgram.of(chain(weight, 1), TARGET).program();
            assertTrue(program.alive());
        }
        assertFalse(program.alive());
    }

    @Test
    void inputsAndOutputsHaveTheirOwnArraysAndAreTheOnlyTraffic() {
        DeviceProgram program = DeviceProgram.of(chain(weight(), 5), TARGET).program();
        List<Integer> ends = new ArrayList<>(program.inputs());
        ends.addAll(program.outputs());
        assertEquals(ends.size(), new HashSet<>(ends).size());
        for (int end : ends) assertEquals(6, program.arrays().get(end).elements());
        assertEquals(2 * 24, program.trafficBytes());
        assertEquals(24, program.weightBytes());
    }

    @Test
    void tasksAreCutBetweenOps() {
        DeviceProgram.Source source = DeviceProgram.of(chain(weight(), 10), TARGET);
        assertEquals(List.of(0, 6, 12, 18, 24, 30), source.cuts(7)); // links of two tasks and one
        assertEquals(List.of(0, 30), source.cuts(64));
        Op whole = source.ops().get(0);
        Op single = source.ops().get(2), other = source.ops().get(3);
        DeviceProgram.Source uneven = new DeviceProgram.Source(
                source.program(),
                List.of(
                        whole,
                        whole,
                        source.ops().get(1),
                        source.ops().get(2),
                        source.ops().get(2)),
                List.of());
        assertEquals(List.of(0, 3, 5), uneven.cuts(4));
        assertEquals(List.of(0, 3, 5), uneven.cuts(3));
    }

    @Test
    void aProgramThatDoesNotFitIsRefusedWithARemedy() {
        DeviceProgram program = DeviceProgram.of(chain(weight(), 5), TARGET).program();
        program.check(device(24, 1000));
        Exception large = assertThrows(IllegalArgumentException.class, () -> program.check(device(23, 1000)));
        assertTrue(
                large.getMessage().contains("in one buffer, but 0:0 Abacus (OpenCL) allows at most"),
                large.getMessage());
        Exception much = assertThrows(IllegalArgumentException.class, () -> program.check(device(24, 90)));
        assertTrue(much.getMessage().contains("use a smaller image, a smaller batch"), much.getMessage());
    }

    @Test
    void aGpuWithEnoughLocalMemoryRunsWorkGroupsAndOtherDevicesSimd() {
        assertEquals(Target.KernelKind.WORKGROUP, device(1, 1).target().kernels());
        Device small =
                new Device("0:0", "Abacus", "Wood", "OpenCL", "GPU", 4, 1, 1, 1 << 10, 256, false, Optional.empty());
        assertEquals(Target.KernelKind.SIMD, small.target().kernels());
    }

    @Test
    void tensorCoresAndVendorLibrariesNeedADeviceThatHasThem() {
        Target tensor = new Target(Target.KernelKind.TENSOR_CORE, false),
                libraries = new Target(Target.KernelKind.VENDOR, false);
        assertEquals(
                "kernels for tensor cores need TornadoVM's PTX or CUDA backend, but this is 0:0 Abacus (OpenCL)",
                device(1, 1).refusal(tensor).orElseThrow());
        assertEquals(
                "cuBLAS and cuDNN need TornadoVM's CUDA backend, but this is 0:0 Abacus (OpenCL)",
                device(1, 1).refusal(libraries).orElseThrow());
        assertEquals(
                "kernels for tensor cores need compute capability 8.0 or more, but 0:0 Abacus (CUDA) has 7.5",
                nvidia("CUDA", Optional.of("7.5")).refusal(tensor).orElseThrow());
        assertEquals(Optional.empty(), nvidia("CUDA", Optional.of("12.0")).refusal(tensor));
        assertEquals(Optional.empty(), nvidia("CUDA", Optional.of("6.1")).refusal(libraries));
        assertEquals(Optional.empty(), nvidia("PTX", Optional.empty()).refusal(tensor));
        assertTrue(nvidia("PTX", Optional.empty()).refusal(libraries).isPresent());
        Device small =
                new Device("0:0", "Abacus", "Wood", "OpenCL", "GPU", 4, 1, 1, 1 << 14, 128, false, Optional.empty());
        assertEquals(
                "kernels of work groups need 32768 bytes of local memory and 256 threads in a group, but 0:0 Abacus (OpenCL)"
                        + " has 16384 and 128",
                small.refusal(new Target(Target.KernelKind.WORKGROUP, false)).orElseThrow());
        assertEquals(Optional.empty(), small.refusal(new Target(Target.KernelKind.SIMD, false)));
        assertEquals(
                Target.KernelKind.WORKGROUP,
                nvidia("CUDA", Optional.of("9.0")).target().kernels());
    }

    private static Device nvidia(String language, Optional<String> capability) {
        return new Device("0:0", "Abacus", "Wood", language, "GPU", 4, 1, 1, 1 << 16, 1024, true, capability);
    }

    @Test
    void f16ScratchSharesBuffersWithF16Only() {
        Graph graph = new Graph();
        Value x = graph.input("x", DType.F32, 2, 3);
        for (int i = 0; i < 6; i++) x = Halving.of(x);
        graph.output(x);
        DeviceProgram program = DeviceProgram.of(graph, new Target(Target.KernelKind.WORKGROUP, false))
                .program();
        List<DeviceProgram.Array> f16 = program.arrays().stream()
                .filter(array -> array.type() == DType.F16)
                .toList();
        assertEquals(List.of(new DeviceProgram.Array(DType.F16, 6, null)), f16);
        for (DeviceProgram.Task task : program.tasks())
            assertEquals(
                    1,
                    task.arrayIndices().stream()
                            .filter(place -> program.arrays().get(place).type() == DType.F16)
                            .count());
    }

    /** Rounds to F16 and back. */
    private record Halving(Value x, Value y) implements Op {
        static Value of(Value x) {
            return x.graph().add(new Halving(x, x.like(2, 3)));
        }

        @Override
        public List<Value> inputs() {
            return List.of(x);
        }

        @Override
        public Value output() {
            return y;
        }

        @Override
        public List<KernelCall> loops() {
            Value half = Value.scratch(DType.F16, 2, 3);
            return List.of(Kernel.call(6, Halving::round, x, half), Kernel.call(6, Halving::widen, half, y));
        }

        @Override
        public List<KernelCall> device(Target target) {
            return loops();
        }

        static void round(int begin, int count, FloatArray x, HalfFloatArray y) {}

        static void widen(int begin, int count, HalfFloatArray x, FloatArray y) {}
    }

    @Test
    void panelsInterleaveRowsAndPadWithZeros() {
        Value w = new Graph().constant("w", Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 3, 2));
        DevicePanels panels = new DevicePanels(w, 3, 2, false);
        FloatArray array = new FloatArray(panels.elements());
        panels.fill(array);
        assertEquals(List.of(1f, 3f, 2f, 4f, 5f, 0f, 6f, 0f), list(array));
    }

    @Test
    void panelsKeepF16OfTheCheckpoint() {
        short[] bits = {Float.floatToFloat16(0.1f), Float.floatToFloat16(-3f)};
        Value w = new Graph().constant("w", new Tensor(DType.F16, Shape.of(2, 1), MemorySegment.ofArray(bits)));
        assertFalse(DevicePanels.of(w, 2, TARGET).f16());
        DevicePanels panels = DevicePanels.of(w, 2, new Target(Target.KernelKind.WORKGROUP, true));
        assertTrue(panels.f16());
        HalfFloatArray array = new HalfFloatArray(panels.elements());
        panels.fill(array);
        assertEquals(bits[0], array.get(0).getHalfFloatValue());
        assertEquals(bits[1], array.get(1).getHalfFloatValue());
    }

    private static List<Float> list(FloatArray array) {
        List<Float> list = new ArrayList<>();
        for (int i = 0; i < array.getSize(); i++) list.add(array.get(i));
        return list;
    }

    @Test
    void aCallKnowsItsKernelsName() {
        KernelCall call = chain(weight(), 1).ops().get(0).loops().get(0);
        assumeTrue(
                call.kernel() instanceof Serializable,
                "compiled against functional interfaces that are not serializable");
        assertEquals("twice", call.name());
    }

    @Test
    void withoutTornadoVmTheErrorSaysWhatToInstall() {
        assumeFalse(TornadoBackend.isAvailable(), "TornadoVM is on this JVM");
        Exception e = assertThrows(UnsupportedOperationException.class, TornadoBackend::new);
        assertTrue(e.getMessage().contains("TORNADOVM_HOME"), e.getMessage());
    }
}
