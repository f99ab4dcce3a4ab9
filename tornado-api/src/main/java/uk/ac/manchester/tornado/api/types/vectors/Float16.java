package uk.ac.manchester.tornado.api.types.vectors;

/** 16 floats that a kernel takes at a time, as a device's vector registers hold them. Here they are an array. */
public final class Float16 {
    private final float[] values;

    private Float16(float[] values) {
        this.values = values;
    }

    /** All zeros. */
    public Float16() {
        this(new float[16]);
    }

    public Float16(
            float s0,
            float s1,
            float s2,
            float s3,
            float s4,
            float s5,
            float s6,
            float s7,
            float s8,
            float s9,
            float s10,
            float s11,
            float s12,
            float s13,
            float s14,
            float s15) {
        this(new float[] {s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15});
    }

    public static Float16 add(Float16 a, Float16 b) {
        float[] sum = new float[16];
        for (int i = 0; i < 16; i++) sum[i] = a.values[i] + b.values[i];
        return new Float16(sum);
    }

    public static Float16 mult(Float16 a, Float16 b) {
        float[] product = new float[16];
        for (int i = 0; i < 16; i++) product[i] = a.values[i] * b.values[i];
        return new Float16(product);
    }

    public static Float16 mult(Float16 a, float value) {
        float[] product = new float[16];
        for (int i = 0; i < 16; i++) product[i] = a.values[i] * value;
        return new Float16(product);
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

    public float getS8() {
        return values[8];
    }

    public float getS9() {
        return values[9];
    }

    public float getS10() {
        return values[10];
    }

    public float getS11() {
        return values[11];
    }

    public float getS12() {
        return values[12];
    }

    public float getS13() {
        return values[13];
    }

    public float getS14() {
        return values[14];
    }

    public float getS15() {
        return values[15];
    }
}
