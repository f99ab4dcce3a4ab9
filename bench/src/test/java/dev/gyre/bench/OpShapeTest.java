package dev.gyre.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.jvm.JvmBackend;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.annotations.Param;

class OpShapeTest {
    @Test
    void theBenchmarkRunsEveryShape() throws NoSuchFieldException {
        String[] parameters =
                OpBenchmark.class.getField("op").getAnnotation(Param.class).value();
        assertEquals(OpShape.ALL.stream().map(OpShape::toString).toList(), List.of(parameters));
    }

    @Test
    void aShapeReadsItsOwnText() {
        for (OpShape shape : OpShape.ALL) assertEquals(shape, OpShape.parse(shape.toString()));
        assertEquals(
                2.0 * 2 * 320 * 640 * 9 * 32 * 32,
                OpShape.parse("conv 2 320 64 640 3 2").flops());
        assertEquals("conv /2", OpShape.parse("conv 2 320 64 640 3 2").group());
    }

    @Test
    void nonsenseIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> OpShape.parse("linear 1 2"));
        assertThrows(IllegalArgumentException.class, () -> OpShape.parse("pool 1 2 3"));
    }

    @Test
    void everyKindOfOpRunsAlone() {
        for (String text : List.of("linear 3 4 5", "conv 1 3 8 4 3 2", "attention 2 5 7 4"))
            try (OneOp op = new OneOp(OpShape.parse(text), Backends.named("jvm", 1))) {
                assertEquals(1, op.run().get(0).shape().elements());
                assertThrows(IllegalStateException.class, op::seconds);
            }
    }

    @Test
    void anOpSaysHowLongItTook() {
        try (OneOp op = new OneOp(OpShape.parse("linear 64 64 64"), JvmBackend.Options.DEFAULT.threads(1))) {
            assertTrue(op.seconds() > 0);
        }
    }
}
