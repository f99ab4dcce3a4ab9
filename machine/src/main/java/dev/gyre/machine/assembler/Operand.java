package dev.gyre.machine.assembler;

/** What an instruction works on. Its text is as assemblers write it (Intel's order). */
public sealed interface Operand {
    /** The 64-bit general registers, by their numbers. */
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

        /** As its lower 32 bits are written. */
        public String half() {
            return ordinal() < 8 ? "e" + toString().substring(1) : this + "d";
        }
    }

    /**
     * A vector register.
     *
     * @param bits 128, 256 or 512
     * @param mask which lanes an instruction writes; 0 is all
     * @param zeroing whether lanes that are not written become zero instead of staying
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

        /** Only the lanes of mask k{@code mask}; the others become zero. */
        public Vector zeroing(int mask) {
            return new Vector(number, bits, mask, true);
        }

        @Override
        public String toString() {
            String name = (bits == 512 ? "zmm" : bits == 256 ? "ymm" : "xmm") + number;
            return name + (mask == 0 ? "" : "{k" + mask + "}") + (zeroing ? "{z}" : "");
        }
    }

    /** A register of a bit for each lane; k0 cannot mask. */
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
     * A place in memory: base + index · scale + displacement.
     *
     * @param index or null
     * @param lanes where one number is read for all lanes of a vector, how many those are; else 0
     * @param mask lanes that a store writes; 0 is all
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

        /** So many bytes further. */
        public Address plus(int bytes) {
            return new Address(base, index, scale, displacement + bytes, lanes, mask);
        }

        /** One 32-bit number for each of so many lanes. */
        public Address broadcast(int lanes) {
            return new Address(base, index, scale, displacement, lanes, mask);
        }

        /** A store of some lanes. */
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

    /** A number in the instruction itself. */
    record Immediate(int value) implements Operand {
        @Override
        public String toString() {
            return String.valueOf(value);
        }
    }
}
