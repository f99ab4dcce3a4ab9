package dev.gyre.machine.kernel;

import static dev.gyre.machine.assembler.Operand.Register.R10;
import static dev.gyre.machine.assembler.Operand.Register.R11;
import static dev.gyre.machine.assembler.Operand.Register.R12;
import static dev.gyre.machine.assembler.Operand.Register.R8;
import static dev.gyre.machine.assembler.Operand.Register.R9;
import static dev.gyre.machine.assembler.Operand.Register.RAX;
import static dev.gyre.machine.assembler.Operand.Register.RBX;
import static dev.gyre.machine.assembler.Operand.Register.RCX;
import static dev.gyre.machine.assembler.Operand.Register.RDI;
import static dev.gyre.machine.assembler.Operand.Register.RDX;
import static dev.gyre.machine.assembler.Operand.Register.RSI;
import static dev.gyre.machine.assembler.Operand.Register.RSP;

import dev.gyre.machine.assembler.Assembler;
import dev.gyre.machine.assembler.Code;
import dev.gyre.machine.assembler.Instruction;
import dev.gyre.machine.assembler.Operand.Address;
import dev.gyre.machine.assembler.Operand.Tile;

/**
 * {@link GemmKernel} for bf16 pairs on AMX: panels of A with 32 rows, panels of B with 32 columns, as two by two tiles
 * of 16 × 16 sums. A tile of A is 16 rows of 16 pairs, a tile of B 16 rows of the panel. Fewer than 16 remaining pairs
 * of k take tiles of another shape; changing shapes clears all tiles, so the sums are stored and reloaded around it.
 *
 * <p>The arguments are {@link GemmKernel}'s; with {@code add} the sums begin at c.
 */
public final class AmxGemmKernel {
    /** Rows of a panel of A and columns of a panel of B. */
    public static final int BLOCK = 32;

    /** Pairs of k in a tile. */
    public static final int TILE_DEPTH = 16;

    private static final int ROW_BYTES = BLOCK * 4; // bytes of a row of B and of C
    private static final Tile[] SUMS = {new Tile(0), new Tile(1), new Tile(2), new Tile(3)};
    private static final Tile A0 = new Tile(4), A1 = new Tile(5), B0 = new Tile(6), B1 = new Tile(7);

    private AmxGemmKernel() {}

    /** Assembles it. Requires AMX-BF16. */
    public static Code code() {
        Assembler asm = new Assembler();
        asm.push(RBX);
        asm.push(R12);
        asm.sub(RSP, 64); // the tile configuration
        asm.mov(RAX, RCX);
        asm.shl(RAX, 2); // bytes of a row of A
        asm.mov(R12, ROW_BYTES);
        for (int at = 0; at < 64; at += 4) asm.mov32(Address.at(RSP, at), at == 0 ? 1 : 0); // palette 1
        fullTiles(asm);
        asm.op(Instruction.LDTILECFG, Address.at(RSP));

        Assembler.Label panel = asm.here("panel"), loaded = asm.label("loaded"), clear = asm.label("clear");
        asm.test(R9, R9);
        asm.jump(Assembler.Condition.ZERO, clear);
        sums(asm, Instruction.TILELOADD);
        asm.jump(loaded);
        asm.bind(clear);
        for (Tile sum : SUMS) asm.op(Instruction.TILEZERO, sum);
        asm.bind(loaded);

        Assembler.Label tail = asm.label("tail"), end = asm.label("done");
        lowerRows(asm);
        asm.mov(R10, RSI);
        asm.mov(R11, RCX);
        asm.sub(R11, TILE_DEPTH);
        asm.jump(Assembler.Condition.LESS, tail);
        Assembler.Label loop = asm.here("loop");
        step(asm);
        asm.add(RDI, TILE_DEPTH * 4);
        asm.add(RBX, TILE_DEPTH * 4);
        asm.add(R10, TILE_DEPTH * ROW_BYTES);
        asm.sub(R11, TILE_DEPTH);
        asm.jump(Assembler.Condition.NOT_LESS, loop);
        asm.bind(tail);
        asm.add(R11, TILE_DEPTH);
        asm.jump(Assembler.Condition.ZERO, end);

        // r11 pairs remain: A's rows take 4·r11 bytes, B has r11 rows.
        sums(asm, Instruction.TILESTORED);
        asm.mov(R10, R11);
        asm.shl(R10, 18);
        asm.lea(R10, Address.at(R10, R11, 4, 0));
        asm.mov32(Address.at(RSP, 24), R10); // bytes of a row of tiles 4 and 5
        asm.mov(R10, R11);
        asm.shl(R10, 8);
        asm.add(R10, R11);
        asm.shl(R10, 16);
        asm.add(R10, 0x1010);
        asm.mov32(Address.at(RSP, 52), R10); // rows of tiles 4 to 7
        asm.op(Instruction.LDTILECFG, Address.at(RSP));
        sums(asm, Instruction.TILELOADD);
        asm.mov(R10, RCX);
        asm.sub(R10, R11);
        asm.shl(R10, 7); // ROW_BYTES
        asm.add(R10, RSI);
        step(asm);
        asm.shl(R11, 2);
        asm.add(RDI, R11);
        sums(asm, Instruction.TILESTORED);
        fullTiles(asm);
        asm.op(Instruction.LDTILECFG, Address.at(RSP));
        sums(asm, Instruction.TILELOADD);

        asm.bind(end);
        sums(asm, Instruction.TILESTORED);
        asm.add(RDX, BLOCK * ROW_BYTES);
        // rdi is past one row of A; 31 remain.
        asm.mov(R10, RAX);
        asm.shl(R10, 5);
        asm.sub(R10, RAX);
        asm.add(RDI, R10);
        asm.sub(R8, 1);
        asm.jump(Assembler.Condition.NOT_ZERO, panel);
        asm.op(Instruction.TILERELEASE);
        asm.add(RSP, 64);
        asm.pop(R12);
        asm.pop(RBX);
        asm.ret();
        return asm.code("bf16 GEMM on AMX, 32 rows by 32");
    }

    /** Configures all tiles as 16 rows of 64 bytes. */
    private static void fullTiles(Assembler asm) {
        for (int at = 16; at < 32; at += 4) asm.mov32(Address.at(RSP, at), 0x0040_0040);
        for (int at = 48; at < 56; at += 4) asm.mov32(Address.at(RSP, at), 0x1010_1010);
    }

    /** rbx: row 16 of the panel of A. */
    private static void lowerRows(Assembler asm) {
        asm.mov(RBX, RAX);
        asm.shl(RBX, 4);
        asm.add(RBX, RDI);
    }

    private static void step(Assembler asm) {
        asm.op(Instruction.TILELOADD, B0, Address.at(R10, R12, 1, 0));
        asm.op(Instruction.TILELOADD, A0, Address.at(RDI, RAX, 1, 0));
        asm.op(Instruction.TDPBF16PS, SUMS[0], A0, B0);
        asm.op(Instruction.TILELOADD, B1, Address.at(R10, R12, 1, 64));
        asm.op(Instruction.TDPBF16PS, SUMS[1], A0, B1);
        asm.op(Instruction.TILELOADD, A1, Address.at(RBX, RAX, 1, 0));
        asm.op(Instruction.TDPBF16PS, SUMS[2], A1, B0);
        asm.op(Instruction.TDPBF16PS, SUMS[3], A1, B1);
    }

    /** Loads or stores the four tiles of sums. */
    private static void sums(Assembler asm, Instruction instruction) {
        for (int i = 0; i < 4; i++) {
            Address at = Address.at(RDX, R12, 1, i / 2 * 16 * ROW_BYTES + i % 2 * 64);
            if (instruction == Instruction.TILELOADD) asm.op(instruction, SUMS[i], at);
            else asm.op(instruction, at, SUMS[i]);
        }
    }
}
