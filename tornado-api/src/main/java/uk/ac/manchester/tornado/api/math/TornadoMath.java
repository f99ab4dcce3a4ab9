package uk.ac.manchester.tornado.api.math;

/** Arithmetic that kernels may use on every device. Here it is {@link Math}, rounded to a float. */
public final class TornadoMath {
    private TornadoMath() {}

    public static float min(float a, float b) {
        return Math.min(a, b);
    }

    public static int min(int a, int b) {
        return Math.min(a, b);
    }

    public static float max(float a, float b) {
        return Math.max(a, b);
    }

    public static int max(int a, int b) {
        return Math.max(a, b);
    }

    public static float abs(float a) {
        return Math.abs(a);
    }

    public static int abs(int a) {
        return Math.abs(a);
    }

    public static float exp(float value) {
        return (float) Math.exp(value);
    }

    public static float log(float value) {
        return (float) Math.log(value);
    }

    public static float sqrt(float value) {
        return (float) Math.sqrt(value);
    }

    public static float pow(float a, float b) {
        return (float) Math.pow(a, b);
    }

    public static float tanh(float value) {
        return (float) Math.tanh(value);
    }

    public static float cos(float angle) {
        return (float) Math.cos(angle);
    }

    public static float sin(float angle) {
        return (float) Math.sin(angle);
    }

    public static float floor(float f) {
        return (float) Math.floor(f);
    }

    public static int clamp(int val, int min, int max) {
        return Math.clamp(val, min, max);
    }

    public static float clamp(float val, float min, float max) {
        return Math.clamp(val, min, max);
    }
}
