package uk.ac.manchester.tornado.api.common;

/** What a task does with an argument. */
public enum Access {
    NONE((byte) 0b00),
    READ_ONLY((byte) 0b01),
    WRITE_ONLY((byte) 0b10),
    READ_WRITE((byte) 0b11);

    public final byte position;

    Access(byte position) {
        this.position = position;
    }
}
