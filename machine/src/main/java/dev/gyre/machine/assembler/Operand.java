package dev.gyre.machine.assembler;

/** An operand of an instruction. Its text is in Intel's assembler syntax. */
public sealed interface Operand {
    /** The 64-bit general registers, in encoding order. */
    enum Register implements Operand {
        RAX,
        RCX,
        RDX,
        RBX,
        RSP,
        RBP,
        RSI,
        RDI,
        R8,
        R9,
        R10,
        R11,
        R12,
        R13,
        R14,
        R15;

        @Override
        public String toString() {
            return name().toLowerCase();
        }

        /** The name of its lower 32 bits. */
        public String half() {
            return ordinal() < 8 ? "e" + toString().substring(1) : this + "d";
        }
    }

    /**
     * A vector register.
     *
     * @param bits 128, 256 or 512
     * @param mask the mask register of the lanes that are written; 0 for all lanes
     * @param zeroing whether the other lanes become zero instead of keeping their value
     */
    record Vector(int number, int bits, int mask, boolean zeroing) implements Operand {
        /** All lanes. */
        public Vector(int number, int bits) {
            this(number, bits, 0, false);
        }

        public static Vector zmm(int number) {
            return new Vector(number, 512);
        }

        public static Vector ymm(int number) {
            return new Vector(number, 256);
        }

        /** With mask k{@code mask}; the other lanes become zero. */
        public Vector zeroing(int mask) {
            return new Vector(number, bits, mask, true);
        }

        @Override
        public String toString() {
            String name = (bits == 512 ? "zmm" : bits == 256 ? "ymm" : "xmm") + number;
            return name + (mask == 0 ? "" : "{k" + mask + "}") + (zeroing ? "{z}" : "");
        }
    }

    /** A mask register, one bit for each lane; k0 cannot mask. */
    record Mask(int number) implements Operand {
        @Override
        public String toString() {
            return "k" + number;
        }
    }

    /** One of AMX's eight registers of up to 16 rows of 64 bytes. */
    record Tile(int number) implements Operand {
        @Override
        public String toString() {
            return "tmm" + number;
        }
    }

    /**
     * A memory operand: base + index · scale + displacement.
     *
     * @param index index register, or null
     * @param lanes lanes to which one element is broadcast; 0 without broadcast
     * @param mask the mask register of a store; 0 for all lanes
     */
    record Address(Register base, Register index, int scale, int displacement, int lanes, int mask) implements Operand {
        public Address {
            if (index == Register.RSP) throw new IllegalArgumentException("rsp cannot be an index");
            if (Integer.bitCount(scale) != 1 || scale > 8)
                throw new IllegalArgumentException("scale: 1, 2, 4 or 8, got " + scale);
        }

        public static Address at(Register base) {
            return new Address(base, null, 1, 0, 0, 0);
        }

        public static Address at(Register base, int displacement) {
            return new Address(base, null, 1, displacement, 0, 0);
        }

        public static Address at(Register base, Register index, int scale, int displacement) {
            return new Address(base, index, scale, displacement, 0, 0);
        }

        /** The address {@code bytes} bytes further. */
        public Address plus(int bytes) {
            return new Address(base, index, scale, displacement + bytes, lanes, mask);
        }

        /** One 32-bit element broadcast to so many lanes. */
        public Address broadcast(int lanes) {
            return new Address(base, index, scale, displacement, lanes, mask);
        }

        /** A masked store. */
        public Address masked(int mask) {
            return new Address(base, index, scale, displacement, lanes, mask);
        }

        @Override
        public String toString() {
            StringBuilder text = new StringBuilder("[").append(base);
            if (index != null) text.append('+').append(index).append('*').append(scale);
            if (displacement != 0) text.append(displacement < 0 ? "" : "+").append(displacement);
            text.append(']');
            if (lanes != 0) text.append("{1to").append(lanes).append('}');
            if (mask != 0) text.append("{k").append(mask).append('}');
            return text.toString();
        }
    }

    /** An immediate operand. */
    record Immediate(int value) implements Operand {
        @Override
        public String toString() {
            return String.valueOf(value);
        }
    }
}
