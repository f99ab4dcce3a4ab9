package dev.gyre.machine.assembler;

import dev.gyre.machine.Cpuid;
import dev.gyre.machine.assembler.Code.Line;
import dev.gyre.machine.assembler.Operand.Address;
import dev.gyre.machine.assembler.Operand.Immediate;
import dev.gyre.machine.assembler.Operand.Mask;
import dev.gyre.machine.assembler.Operand.Register;
import dev.gyre.machine.assembler.Operand.Tile;
import dev.gyre.machine.assembler.Operand.Vector;
import dev.gyre.machine.kernel.AmxGemmKernel;
import dev.gyre.machine.kernel.ElementwiseKernels;
import dev.gyre.machine.kernel.ElementwiseKernelsTest;
import dev.gyre.machine.kernel.Exp2KernelsTest;
import dev.gyre.machine.kernel.ExpKernels;
import dev.gyre.machine.kernel.ExpKernelsTest;
import dev.gyre.machine.kernel.GemmKernel;
import dev.gyre.machine.kernel.PanelKernels;
import dev.gyre.machine.kernel.ToBf16;
import dev.gyre.machine.kernel.ToF32;
import dev.gyre.machine.kernel.Transpose;
import dev.gyre.machine.kernel.WinogradKernel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** All instructions with operands of every kind that is encoded differently, and all that kernels use. */
final class Encodings {
    private Encodings() {}

    /** Prints the instructions, a line each: what references/encodings.sh hands to an independent assembler. */
    public static void main(String[] args) {
        lines().keySet().forEach(System.out::println);
    }

    /** Kernels of every shape in use, and some more. */
    static List<Code> kernels() {
        List<Code> all = new ArrayList<>(List.of(
                Cpuid.cpuid(),
                Cpuid.xgetbv(),
                AmxGemmKernel.code(),
                ToBf16.alongRows(),
                ToBf16.acrossRows(),
                Transpose.code(false),
                Transpose.code(true),
                ToF32.f16(),
                ToF32.bf16()));
        ExpKernels exp = ExpKernelsTest.EXP;
        all.addAll(List.of(exp.softmax(512), exp.softmax(256), Exp2KernelsTest.POWER.softmax()));
        for (int bits : new int[] {256, 512}) {
            all.addAll(List.of(PanelKernels.store(bits, false), PanelKernels.store(bits, true)));
            all.add(PanelKernels.load(bits / 16, bits, true));
            all.add(PanelKernels.load(bits == 512 ? 12 : 6, bits, false));
            all.addAll(List.of(PanelKernels.scale(bits), PanelKernels.gather(bits)));
            ElementwiseKernels rows = new ElementwiseKernels(bits);
            all.addAll(List.of(rows.add(), rows.scale(), rows.sums(), rows.squares(), rows.norm()));
            all.addAll(List.of(exp.silu(bits), ElementwiseKernelsTest.ERF.geglu(bits)));
            WinogradKernel filtering = new WinogradKernel(0.75f, 1.5f, bits);
            all.addAll(List.of(filtering.input(), filtering.weights(), filtering.output()));
        }
        for (int rows = 1; rows <= 14; rows++) {
            all.add(new GemmKernel(GemmKernel.Kind.F32, rows, 512).code());
            all.add(new GemmKernel(GemmKernel.Kind.BF16, rows, 512).code());
        }
        for (int rows = 1; rows <= 6; rows++) all.add(new GemmKernel(GemmKernel.Kind.F32, rows, 256).code());
        all.add(new GemmKernel(GemmKernel.Kind.F32, 2, 12, 2, 512, false).code());
        all.add(new GemmKernel(GemmKernel.Kind.F32, 2, 6, 2, 256, false).code());
        all.add(new GemmKernel(GemmKernel.Kind.BF16, 6, 6, 4, 512, false).code());
        all.add(new GemmKernel(GemmKernel.Kind.BF16, 12, 12, 2, 512, true).code());
        return all;
    }

    /** Instruction to bytes, without jumps and labels, whose text does not give the distance. */
    static Map<String, byte[]> lines() {
        Map<String, byte[]> lines = new LinkedHashMap<>();
        List<Line> all = new ArrayList<>(systematic().lines());
        kernels().forEach(kernel -> all.addAll(kernel.lines()));
        for (Line line : all)
            if (line.bytes().length > 0
                    && !line.text().startsWith("j")
                    && !line.text().startsWith(".")
                    && !line.text().contains("rip")) lines.put(line.text(), line.bytes());
        return lines;
    }

    private static Code systematic() {
        Assembler asm = new Assembler();
        List<Address> addresses = new ArrayList<>();
        for (Register base : Register.values())
            for (int displacement : new int[] {0, 4, 64, -64, 128, 508, 8128, 8192, -100_000})
                addresses.add(Address.at(base, displacement));
        for (Register index : new Register[] {Register.RAX, Register.RBP, Register.R12, Register.R13})
            for (int scale = 1; scale <= 8; scale *= 2) {
                addresses.add(Address.at(Register.R13, index, scale, 0));
                addresses.add(Address.at(Register.RSP, index, scale, 256));
                addresses.add(Address.at(Register.RDX, index, scale, 12));
            }
        for (Instruction i : Instruction.values()) each(asm, i, addresses);
        for (Register a : Register.values()) {
            asm.push(a);
            asm.pop(a);
            for (int n : new int[] {1, -1, 127, 128, -128, -129, 1 << 20}) {
                asm.mov(a, n);
                asm.add(a, n);
                asm.sub(a, n);
                asm.and(a, n);
                asm.cmp(a, n);
            }
            asm.shl(a, 7);
            asm.shr(a, 2);
            for (Register b : Register.values()) {
                asm.mov(a, b);
                asm.add(a, b);
                asm.sub(a, b);
                asm.cmp(a, b);
                asm.test(a, b);
            }
        }
        for (Address address : addresses)
            for (Register r : new Register[] {Register.RAX, Register.RSP, Register.R9, Register.R13}) {
                asm.mov(r, address);
                asm.mov(address, r);
                asm.mov32(address, r);
                asm.mov32(address, 0x12345);
                asm.lea(r, address);
            }
        addresses.forEach(asm::prefetch);
        return asm.code("systematic");
    }

    private static void each(Assembler asm, Instruction i, List<Address> addresses) {
        int[] widths = i.prefix == Instruction.Prefix.BOTH ? new int[] {128, 256, 512} : new int[] {512};
        if (i == Instruction.VINSERTF128 || i == Instruction.VEXTRACTF128) {
            for (Address a : addresses) for (int r : new int[] {3, 12}) half(asm, i, r, a);
            return;
        }
        if (i.prefix == Instruction.Prefix.VEX && i.mnemonic().startsWith("v")) {
            low(asm, i, addresses);
            return;
        }
        switch (i.form) {
            case LOAD, BROADCAST, STORE -> {
                for (Address a : addresses)
                    if (i.name().startsWith("TILE")) for (int t = 0; t < 8; t += 7) one(asm, i, new Tile(t), a);
                    else
                        for (int bits : widths)
                            for (int r : new int[] {9, 18}) {
                                // A broadcast to 128 bits of the low registers has the same form, but is not used.
                                one(asm, i, new Vector(r, bits), a);
                                if (bits != 512) continue;
                                if (i.form == Instruction.Form.STORE) one(asm, i, Vector.zmm(r), a.masked(3));
                                else one(asm, i, Vector.zmm(r).zeroing(5), a);
                            }
                if (i.form == Instruction.Form.LOAD && !i.name().startsWith("TILE"))
                    for (int bits : widths)
                        for (int r : new int[] {1, 15, 17, 31})
                            one(asm, i, new Vector(r, bits), new Vector(32 - r, bits));
            }
            case THREE -> {
                for (int bits : widths)
                    for (int a : new int[] {10, 21})
                        for (int b : new int[] {1, 30})
                            for (int c : new int[] {2, 11, 19, 29})
                                three(asm, i, new Vector(a, bits), new Vector(b, bits), new Vector(c, bits));
                for (Address a : addresses) {
                    for (int bits : widths) three(asm, i, new Vector(3, bits), new Vector(12, bits), a);
                    if (i.w == 0) three(asm, i, Vector.zmm(20), Vector.zmm(7), a.broadcast(16));
                }
                three(asm, i, Vector.zmm(20).zeroing(7), Vector.zmm(7), Vector.zmm(8));
            }
            case SHIFT -> {
                for (int bits : widths)
                    for (int r : new int[] {0, 9, 31})
                        asm.op(i, new Vector(r, bits), new Vector(31 - r, bits), new Immediate(23));
            }
            case MASKED_STORE -> throw new IllegalArgumentException("only with VEX: " + i);
            case MASK -> {
                for (Register r : Register.values()) asm.op(i, new Mask(r.ordinal() % 8), r);
            }
            case GENERAL -> {
                for (Register a : Register.values())
                    for (Register b : Register.values()) asm.op(i, a, b, Register.values()[15 - a.ordinal()]);
            }
            case MEMORY -> addresses.forEach(a -> asm.op(i, a));
            case NONE -> asm.op(i);
            case TILE -> {
                for (int t = 0; t < 8; t++) asm.op(i, new Tile(t));
            }
            case TILES -> {
                for (int t = 0; t < 8; t++) asm.op(i, new Tile(t), new Tile((t + 1) % 8), new Tile((t + 3) % 8));
            }
        }
    }

    /** Instructions on the 16 registers that VEX encodes. */
    private static void low(Assembler asm, Instruction i, List<Address> addresses) {
        boolean part = i.form == Instruction.Form.STORE;
        boolean wider = i == Instruction.VCVTPH2PS || i == Instruction.VPMOVZXWD;
        for (int bits : part ? new int[] {128} : new int[] {128, 256}) {
            Vector a = new Vector(3, bits), b = new Vector(12, bits);
            for (Vector v : new Vector[] {a, b})
                for (Address at : addresses)
                    switch (i.form) {
                        case LOAD -> asm.op(i, v, at);
                        case STORE -> asm.op(i, at, v);
                        case THREE -> asm.op(i, v, b, at);
                        case MASKED_STORE -> asm.op(i, at, b, v);
                        default -> throw new IllegalArgumentException("no form of vectors with VEX: " + i);
                    }
            if (i.form == Instruction.Form.LOAD && !wider) asm.op(i, a, b);
            if (i.form == Instruction.Form.THREE && i != Instruction.VMASKMOVPS)
                for (Vector v : new Vector[] {a, b}) asm.op(i, v, a, b);
        }
    }

    private static void one(Assembler asm, Instruction i, Operand register, Operand other) {
        if (i == Instruction.VRNDSCALEPS) asm.op(i, register, other, new Immediate(8));
        else if (i.form == Instruction.Form.STORE) asm.op(i, other, register);
        else asm.op(i, register, other);
    }

    private static void three(Assembler asm, Instruction i, Operand to, Operand from, Operand other) {
        if (i == Instruction.VSHUFPS) asm.op(i, to, from, other, new Immediate(0xB1));
        else asm.op(i, to, from, other);
    }

    private static void half(Assembler asm, Instruction i, int register, Address a) {
        Vector v = Vector.ymm(register);
        if (i.form == Instruction.Form.STORE) asm.op(i, a, v, new Immediate(1));
        else asm.op(i, v, Vector.ymm(15 - register), a, new Immediate(1));
    }
}
