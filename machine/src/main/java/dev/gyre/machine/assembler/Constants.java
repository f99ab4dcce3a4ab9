package dev.gyre.machine.assembler;

import dev.gyre.machine.assembler.Operand.Address;
import dev.gyre.machine.assembler.Operand.Register;
import dev.gyre.machine.assembler.Operand.Vector;

/**
 * The constants of a formula: in registers where vectors of 512 bits have 32 of them, otherwise in memory behind the
 * code, each broadcast to a whole vector.
 *
 * @param bits vector width
 * @param base the general register that holds their address; with 512 bits it is free again after {@link #load}
 * @param first the vector register of the first constant, where they are in registers
 */
public record Constants(int bits, Register base, int first, float... values) {
    public void load(Assembler asm, Assembler.Label table) {
        asm.lea(base, table);
        if (bits == 512)
            for (int i = 0; i < values.length; i++)
                asm.op(Instruction.VBROADCASTSS, Vector.zmm(first + i), Address.at(base, 4 * i));
    }

    public Operand at(int i) {
        return bits == 512 ? Vector.zmm(first + i) : Address.at(base, i * bits / 8);
    }

    /** Writes the constants where the table's label is bound. */
    public void write(Assembler asm) {
        for (float value : values) for (int i = 0; i < (bits == 512 ? 1 : bits / 32); i++) asm.floats(value);
    }
}
