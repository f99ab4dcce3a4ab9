package dev.gyre.machine.kernel;

import dev.gyre.machine.assembler.Assembler;
import dev.gyre.machine.assembler.Instruction;
import dev.gyre.machine.assembler.Operand.Address;
import dev.gyre.machine.assembler.Operand.Immediate;
import dev.gyre.machine.assembler.Operand.Register;
import dev.gyre.machine.assembler.Operand.Vector;
import java.util.List;

/**
 * Transposes between neighbouring tiles of a row, four to a quad, and vector lanes that hold one tile each. A vector
 * holds two quads or four: one for each 128 bits.
 */
sealed interface LaneShuffles {
    static LaneShuffles of(int bits) {
        return bits == 512 ? new Permuted() : new Transposed();
    }

    /**
     * The index vectors of {@link #deinterleave}, as 32-bit integers to be placed behind the code and loaded before.
     */
    int[] deinterleaveIndices();

    /** Likewise for {@link #interleave}. */
    int[] interleaveIndices();

    /** Loads the index vectors of either. */
    void load(Assembler asm, Register table, int at);

    /** Loads 20 floats of each quad and leaves in registers 0 to 5 the six columns of its tiles. */
    void deinterleave(Assembler asm, List<Register> quads);

    /** Stores registers 8 to 11, one column of all tiles each, as 16 floats of each quad. */
    void interleave(Assembler asm, List<Address> quads);

    /** With two-source permutations, which vectors of 512 bits have. */
    record Permuted() implements LaneShuffles {
        private static Vector v(int number) {
            return Vector.zmm(number);
        }

        /** Pairs of neighbours, even and odd; then single elements, even and odd. */
        @Override
        public int[] deinterleaveIndices() {
            int[] indices = new int[64];
            for (int i = 0; i < 2; i++) {
                for (int lane = 0; lane < 8; lane++) indices[16 * i + 2 * lane] = 2 * lane + i;
                for (int lane = 0; lane < 16; lane++) indices[32 + 16 * i + lane] = 2 * lane + i;
            }
            return indices;
        }

        /**
         * Pairs of elements of tiles 8i …, one from the destination and one from the source; then pairs of those, of 64
         * bits.
         */
        @Override
        public int[] interleaveIndices() {
            int[] indices = new int[64];
            for (int i = 0; i < 2; i++)
                for (int j = 0; j < 8; j++) {
                    indices[16 * i + 2 * j] = 8 * i + j;
                    indices[16 * i + 2 * j + 1] = 16 + 8 * i + j;
                    indices[32 + 16 * i + 2 * j] = 4 * i + j / 2 + j % 2 * 8;
                }
            return indices;
        }

        @Override
        public void load(Assembler asm, Register table, int at) {
            for (int i = 0; i < 4; i++) asm.op(Instruction.VMOVUPS, v(28 + i), Address.at(table, at + 64 * i));
        }

        @Override
        public void deinterleave(Assembler asm, List<Register> quads) {
            for (int i = 0; i < 4; i++) {
                asm.op(Instruction.VMOVUPS, v(6 + i), Address.at(quads.get(i)));
                asm.op(Instruction.VMOVUPS, v(10 + i), Address.at(quads.get(i), 16));
            }
            for (int i = 0; i < 2; i++) {
                // Columns 0 and 1 of eight tiles to 14 + i, 2 and 3 to 6 + 2i; 4 and 5 to 10 + 2i.
                Vector first = v(6 + 2 * i), second = v(7 + 2 * i), low = v(14 + i);
                asm.op(Instruction.VMOVUPS, low, first);
                asm.op(Instruction.VPERMT2PD, low, v(28), second);
                asm.op(Instruction.VPERMT2PD, first, v(29), second);
                asm.op(Instruction.VPERMT2PD, v(10 + 2 * i), v(28), v(11 + 2 * i));
            }
            int[] left = {14, 6, 10}, right = {15, 8, 12};
            for (int i = 0; i < 6; i++) {
                asm.op(Instruction.VMOVUPS, v(i), v(left[i / 2]));
                asm.op(Instruction.VPERMT2PS, v(i), v(30 + i % 2), v(right[i / 2]));
            }
        }

        @Override
        public void interleave(Assembler asm, List<Address> quads) {
            for (int i = 0; i < 4; i++) { // columns 0 and 1, then 2 and 3; of tiles 0 to 7, then 8 to 15
                asm.op(Instruction.VMOVUPS, v(4 + i), v(8 + i / 2 * 2));
                asm.op(Instruction.VPERMT2PS, v(4 + i), v(28 + i % 2), v(9 + i / 2 * 2));
            }
            for (int i = 0; i < 4; i++) {
                asm.op(Instruction.VMOVUPS, v(i), v(4 + i / 2));
                asm.op(Instruction.VPERMT2PD, v(i), v(30 + i % 2), v(6 + i / 2));
            }
            for (int i = 0; i < 4; i++) asm.op(Instruction.VMOVUPS_STORE, quads.get(i), v(i));
        }
    }

    /** With 4 × 4 transposes in each half of vectors of 256 bits: a half holds a quad. */
    record Transposed() implements LaneShuffles {
        private static final Immediate UPPER = new Immediate(1);

        private static Vector v(int number) {
            return Vector.ymm(number);
        }

        private static Vector lower(int number) {
            return new Vector(number, 128);
        }

        @Override
        public int[] deinterleaveIndices() {
            return new int[0];
        }

        @Override
        public int[] interleaveIndices() {
            return new int[0];
        }

        @Override
        public void load(Assembler asm, Register table, int at) {}

        @Override
        public void deinterleave(Assembler asm, List<Register> quads) {
            for (int i = 0; i < 5; i++) {
                asm.op(Instruction.VMOVUPS, lower(6 + i), Address.at(quads.get(0), 16 * i));
                asm.op(Instruction.VINSERTF128, v(6 + i), v(6 + i), Address.at(quads.get(1), 16 * i), UPPER);
            }
            // A tile's first four elements are one of those vectors; its last two begin the next.
            transpose(asm, Instruction.VUNPCKLPS, 6, 0);
            transpose(asm, Instruction.VUNPCKHPS, 6, 2);
            transpose(asm, Instruction.VUNPCKLPS, 7, 4);
        }

        @Override
        public void interleave(Assembler asm, List<Address> quads) {
            transpose(asm, Instruction.VUNPCKLPS, 8, 0);
            transpose(asm, Instruction.VUNPCKHPS, 8, 2);
            for (int i = 0; i < 4; i++) {
                asm.op(Instruction.VMOVUPS_STORE, quads.get(0).plus(16 * i), lower(i));
                asm.op(Instruction.VEXTRACTF128, quads.get(1).plus(16 * i), v(i), UPPER);
            }
        }

        /** Two elements of each of four registers from {@code from} on, the lower or the higher, to two registers. */
        private static void transpose(Assembler asm, Instruction two, int from, int to) {
            asm.op(two, v(14), v(from), v(from + 1));
            asm.op(two, v(15), v(from + 2), v(from + 3));
            asm.op(Instruction.VSHUFPS, v(to), v(14), v(15), new Immediate(0x44));
            asm.op(Instruction.VSHUFPS, v(to + 1), v(14), v(15), new Immediate(0xEE));
        }
    }
}
