package uk.ac.manchester.tornado.api.types;

/** A 16-bit IEEE 754 number. */
public final class HalfFloat {
    private final short bits;

    /** The nearest 16-bit number, ties to even. */
    public HalfFloat(float halfFloat) {
        this.bits = Float.floatToFloat16(halfFloat);
    }

    /** The number with these bits. */
    public HalfFloat(short halfFloat) {
        this.bits = halfFloat;
    }

    /** The bits. */
    public short getHalfFloatValue() {
        return bits;
    }

    public float getFloat32() {
        return Float.float16ToFloat(bits);
    }
}
