package uk.ac.manchester.tornado.api.types.vectors;

/** 8 floats that a kernel takes at a time, as a device's vector registers hold them. Here they are an array. */
public final class Float8 {
    private final float[] values;

    private Float8(float[] values) {
        this.values = values;
    }

    /** All zeros. */
    public Float8() {
        this(new float[8]);
    }

    public Float8(float s0, float s1, float s2, float s3, float s4, float s5, float s6, float s7) {
        this(new float[] {s0, s1, s2, s3, s4, s5, s6, s7});
    }

    public static Float8 add(Float8 a, Float8 b) {
        float[] sum = new float[8];
        for (int i = 0; i < 8; i++) sum[i] = a.values[i] + b.values[i];
        return new Float8(sum);
    }

    public static Float8 mult(Float8 a, Float8 b) {
        float[] product = new float[8];
        for (int i = 0; i < 8; i++) product[i] = a.values[i] * b.values[i];
        return new Float8(product);
    }

    public static Float8 mult(Float8 a, float value) {
        float[] product = new float[8];
        for (int i = 0; i < 8; i++) product[i] = a.values[i] * value;
        return new Float8(product);
    }

    public float getS0() {
        return values[0];
    }

    public float getS1() {
        return values[1];
    }

    public float getS2() {
        return values[2];
    }

    public float getS3() {
        return values[3];
    }

    public float getS4() {
        return values[4];
    }

    public float getS5() {
        return values[5];
    }

    public float getS6() {
        return values[6];
    }

    public float getS7() {
        return values[7];
    }
}
