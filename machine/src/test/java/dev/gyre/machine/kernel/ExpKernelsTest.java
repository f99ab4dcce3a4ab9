package dev.gyre.machine.kernel;

public class ExpKernelsTest {
    public static final ExpKernels EXP = new ExpKernels(
            -87f,
            88f,
            1.44269504f,
            12582912f,
            0.693359375f,
            -2.12194440e-4f,
            1.9875691500E-4f,
            1.3981999507E-3f,
            8.3334519073E-3f,
            4.1665795894E-2f,
            1.6666665459E-1f,
            5.0000001201E-1f);
}
