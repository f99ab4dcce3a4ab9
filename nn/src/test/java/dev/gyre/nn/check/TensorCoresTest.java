package dev.gyre.nn.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.Shape;
import dev.gyre.core.Target;
import dev.gyre.core.Tensor;
import dev.gyre.nn.conv.Conv2d;
import dev.gyre.nn.device.TensorCores;
import dev.gyre.nn.device.WorkGroups;
import dev.gyre.nn.linear.Linear;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tensor core kernels, emulated without a device: against double precision on operands rounded to F16. */
class TensorCoresTest {
    private static final Target TENSOR = new Target(Target.KernelKind.TENSOR_CORE, true);

    /** The op table's linear layers, convolutions and attention, and random shapes. */
    static Stream<OpCase> cases() {
        Random random = new Random(11);
        Stream<OpCase> linear = IntStream.range(0, 8).mapToObj(i -> {
            int rows = 1 + random.nextInt(150), in = 16 * (1 + random.nextInt(6)), out = 1 + random.nextInt(150);
            OpCase one = OpCase.of(
                            "linear " + rows + "x" + in + "x" + out,
                            (x, at) ->
                                    i % 2 == 0 ? Linear.of(x.get(0), out, at) : Linear.withoutBias(x.get(0), out, at),
                            a -> ReferenceOps.linear(
                                    a.get(0), a.get(1), i % 2 == 0 ? a.get(2) : new double[out], rows, in, out),
                            Shape.of(rows, in))
                    .weight("weight", out, in);
            return i % 2 == 0 ? one.weight("bias", out) : one;
        });
        // Whole blocks without bias are stored straight to the output.
        OpCase whole = OpCase.of(
                        "linear without bias, 128x32x64",
                        (x, at) -> Linear.withoutBias(x.get(0), 64, at),
                        a -> ReferenceOps.linear(a.get(0), a.get(1), new double[64], 128, 32, 64),
                        Shape.of(128, 32))
                .weight("weight", 64, 32);
        Stream<OpCase> conv2d = IntStream.range(0, 8).mapToObj(i -> {
            int side = 1 + 2 * random.nextInt(2), before = random.nextInt(side), after = random.nextInt(side);
            int height = side + random.nextInt(12), width = side + random.nextInt(12);
            int[] s = {
                1 + random.nextInt(3),
                16 * (1 + random.nextInt(3)),
                height,
                width,
                1 + random.nextInt(100),
                side,
                1 + random.nextInt(2),
                before,
                after
            };
            return OpCase.of(
                            "conv2d " + Arrays.toString(s),
                            (x, at) -> Conv2d.of(x.get(0), s[4], s[5], s[6], s[7], s[8], at),
                            a -> ReferenceOps.conv2d(a.get(0), a.get(1), a.get(2), s),
                            Shape.of(s[0], s[1], s[2], s[3]))
                    .weight("weight", s[4], s[1], s[5], s[5])
                    .weight("bias", s[4]);
        });
        Stream<OpCase> table = WorkGroupsTest.table().filter(one -> runs(one, TENSOR));
        return Stream.of(linear, Stream.of(whole), conv2d, WorkGroupsTest.attention(4), table)
                .flatMap(all -> all);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void agreesWithDoublePrecisionOverRoundedOperands(OpCase one) {
        List<Tensor> inputs =
                one.makeInputs().stream().map(DeviceCheck::rounded).toList();
        Map<String, Tensor> weights = one.makeWeights();
        weights.replaceAll((key, tensor) -> DeviceCheck.rounded(tensor));
        assertTrue(runs(one, TENSOR), "no kernel for tensor cores");
        float[] y = VendorModel.run(one, inputs, weights, TENSOR, WorkGroupEmulator::run);
        double[] expected = one.expected(inputs, weights);
        // Attention rounds its weights to F16, too, which sum to 1: that is at most half a unit in the last place of a
        // value.
        double allowed = 2e-6;
        if (one.name().startsWith("attention"))
            for (float v : inputs.get(2).floats()) allowed = Math.max(allowed, 0x1p-11 * Math.abs(v));
        OpCasesTest.compare(one.name(), expected, y, allowed);
    }

    // By the size of its work groups: kernels have no names when compiled against TornadoVM's own API.
    private static boolean runs(OpCase one, Target target) {
        return VendorModel.steps(one, target).stream().anyMatch(step -> step.group() == TensorCores.THREADS);
    }

    @Test
    void theTableHasEachOp() {
        List<String> names = cases().map(OpCase::name).toList();
        assertTrue(names.stream().filter(name -> name.startsWith("linear")).count() > 12, names.toString());
        assertTrue(names.stream().filter(name -> name.startsWith("conv2d")).count() > 12, names.toString());
        assertTrue(names.stream().filter(name -> name.startsWith("attention")).count() > 8, names.toString());
    }

    @Test
    void depthsThatAreNoMultipleOf16RunAsWorkGroups() {
        OpCase odd = OpCases.cases()
                .filter(one -> one.name().equals("linear 7x33x13"))
                .findFirst()
                .orElseThrow();
        assertEquals(
                WorkGroups.THREADS, VendorModel.steps(odd, TENSOR).getFirst().group());
    }

    @Test
    void noOtherOpUsesTensorCores() {
        for (Target.KernelKind kernels : Target.KernelKind.values())
            if (kernels != Target.KernelKind.TENSOR_CORE)
                cases().forEach(one -> assertFalse(runs(one, new Target(kernels, true)), one.name()));
    }
}
