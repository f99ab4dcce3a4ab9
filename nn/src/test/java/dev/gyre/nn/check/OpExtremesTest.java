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

/** Every op's faster way against its definition on numbers that networks seldom see. */
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
        /** Twenty orders of magnitude side by side, zeros of both signs among them. */
        MIXED {
            @Override
            float next(Random random) {
                if (random.nextInt(5) == 0) return ZEROS.next(random);
                return (float) (random.nextGaussian() * Math.pow(10, random.nextInt(21) - 10));
            }
        },
        /** Numbers at which exponentials overflow, underflow or are cut off. */
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
        return OpCases.cases().flatMap(one -> Stream.of(Numbers.values())
                .filter(numbers -> isDefined(one.name(), numbers))
                .map(numbers -> Arguments.of(one, numbers)));
    }

    /** Whether rounding leaves anything of the result that two ways to it could agree in. */
    private static boolean isDefined(String op, Numbers numbers) {
        // Angles of millions of turns.
        if (op.startsWith("timestep embedding")) return false;
        // An exponential of a score of 100,000, whose last digit is a hundredth.
        if (numbers == Numbers.STEEP) return !op.startsWith("attention");
        // A tile of Winograd's, a norm, a softmax or a gate makes NaN of infinities, and of more or fewer elements.
        return numbers != Numbers.INFINITE
                || Stream.of("linear", "add", "concat", "upsample", "transpose").anyMatch(op::startsWith);
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("cases")
    void theFasterWayAgreesWithTheDefinition(OpCase one, Numbers numbers) {
        Random random = new Random(3);
        List<Tensor> inputs = new ArrayList<>();
        for (Shape shape : one.inputs()) {
            float[] values = new float[shape.elements()];
            for (int i = 0; i < values.length; i++) values[i] = numbers.next(random);
            inputs.add(Tensor.of(
                    values, shape.dims().stream().mapToInt(Integer::intValue).toArray()));
        }
        Map<String, Tensor> weights = one.makeWeights();
        float[] definition = run(JvmBackend.ofDefinitions(), one, inputs, weights);
        float[] faster = run(new JvmBackend(2), one, inputs, weights);
        double largest = 0;
        for (float v : definition) if (Float.isFinite(v)) largest = Math.max(largest, Math.abs(v));
        double allowed = 4e-6 * largest + Float.MIN_NORMAL;
        for (int i = 0; i < definition.length; i++)
            if (Float.isFinite(definition[i])) {
                double error = Math.abs((double) faster[i] - definition[i]);
                assertTrue(error <= allowed, i + ": " + faster[i] + " for " + definition[i] + ", allowed " + allowed);
            } else assertEquals(definition[i], faster[i], 0f, "at " + i);
    }

    private static float[] run(JvmBackend backend, OpCase one, List<Tensor> inputs, Map<String, Tensor> weights) {
        try (backend;
                Executable executable = backend.compile(one.graph(weights))) {
            return executable.run(inputs.toArray(Tensor[]::new)).get(0).floats();
        }
    }
}
