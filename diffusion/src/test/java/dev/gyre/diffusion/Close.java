package dev.gyre.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** How far results may be from references. */
final class Close {
    private Close() {}

    static void within(double tolerance, double[] expected, float[] actual, String what) {
        assertEquals(expected.length, actual.length, what);
        double error = 0;
        for (int i = 0; i < actual.length; i++) {
            assertTrue(Float.isFinite(actual[i]), what + " is not finite at " + i);
            error = Math.max(error, Math.abs(actual[i] - expected[i]));
        }
        assertTrue(error <= tolerance, what + ": error " + error + ", allowed " + tolerance);
    }

    static void within(double tolerance, float[] expected, float[] actual, String what) {
        double[] doubles = new double[expected.length];
        for (int i = 0; i < doubles.length; i++) doubles[i] = expected[i];
        within(tolerance, doubles, actual, what);
    }
}
