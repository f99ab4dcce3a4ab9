package dev.gyre.nn.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.Executable;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import dev.gyre.core.jvm.JvmBackend;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every op's faster implementation against its definition on extreme inputs. */
class OpExtremesTest {
    /** Kinds of inputs. */
    enum Numbers {
        LARGE {
            @Override
            float next(Random random) {
                return (float) random.nextGaussian() * 1e12f;
            }
        },
        TINY {
            @Override
            float next(Random random) {
                return (float) random.nextGaussian() * 1e-30f;
            }
        },
        ZEROS {
            @Override
            float next(Random random) {
                return random.nextBoolean() ? -0f : 0f;
            }
        },
        /** Twenty orders of magnitude side by side, including zeros of both signs. */
        MIXED {
            @Override
            float next(Random random) {
                if (random.nextInt(5) == 0) return ZEROS.next(random);
                return (float) (random.nextGaussian() * Math.pow(10, random.nextInt(21) - 10));
            }
        },
        /** Numbers at which exponentials overflow, underflow or are clamped. */
        STEEP {
            @Override
            float next(Random random) {
                return (random.nextBoolean() ? 1 : -1) * (85 + random.nextFloat() * 20);
            }
        },
        INFINITE {
            @Override
            float next(Random random) {
                float sign = random.nextBoolean() ? 1 : -1;
                return random.nextInt(40) == 0 ? sign * Float.POSITIVE_INFINITY : (float) random.nextGaussian();
            }
        };

        abstract float next(Random random);
    }

    static Stream<Arguments> cases() {
        return OpCases.cases().flatMap(opCase -> Stream.of(Numbers.values())
                .filter(numbers -> isDefined(opCase.name(), numbers))
                .map(numbers -> Arguments.of(opCase, numbers)));
    }

    /** Whether rounding leaves any digits in which two implementations can agree. */
    private static boolean isDefined(String op, Numbers numbers) {
        // Angles of millions of revolutions.
        if (op.startsWith("timestep embedding")) return false;
        // An exponential of a score of 100,000, whose unit in the last place is 0.01.
        if (numbers == Numbers.STEEP) return !op.startsWith("attention");
        // Infinities make NaN in a Winograd tile, a norm, a softmax or SiLU, of more or fewer elements.
        return numbers != Numbers.INFINITE
                || Stream.of("linear", "add", "concat", "upsample", "transpose").anyMatch(op::startsWith);
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("cases")
    void jvmKernelAgreesWithTheDefinition(OpCase opCase, Numbers numbers) {
        Random random = new Random(3);
        List<Tensor> inputs = new ArrayList<>();
        for (Shape shape : opCase.inputs()) {
            float[] values = new float[shape.elements()];
            for (int i = 0; i < values.length; i++) values[i] = numbers.next(random);
            inputs.add(Tensor.of(
                    values, shape.dims().stream().mapToInt(Integer::intValue).toArray()));
        }
        Map<String, Tensor> weights = opCase.makeWeights();
        float[] definition = run(JvmBackend.ofDefinitions(), opCase, inputs, weights);
        float[] faster = run(new JvmBackend(2), opCase, inputs, weights);
        double largest = 0;
        for (float v : definition) if (Float.isFinite(v)) largest = Math.max(largest, Math.abs(v));
        double allowed = 4e-6 * largest + Float.MIN_NORMAL;
        for (int i = 0; i < definition.length; i++)
            if (Float.isFinite(definition[i])) {
                double error = Math.abs((double) faster[i] - definition[i]);
                assertTrue(error <= allowed, i + ": " + faster[i] + " for " + definition[i] + ", allowed " + allowed);
            } else assertEquals(definition[i], faster[i], 0f, "at " + i);
    }

    private static float[] run(JvmBackend backend, OpCase opCase, List<Tensor> inputs, Map<String, Tensor> weights) {
        try (backend;
                Executable executable = backend.compile(opCase.graph(weights))) {
            return executable.run(inputs.toArray(Tensor[]::new)).get(0).floats();
        }
    }
}
