package dev.gyre.machine.kernel;

public class Exp2KernelsTest {
    public static final Exp2Kernels POWER =
            new Exp2Kernels(-126f, 0.00957006f, 0.05591786f, 0.24024746f, 0.69312182f, 0.99999926f);
}
