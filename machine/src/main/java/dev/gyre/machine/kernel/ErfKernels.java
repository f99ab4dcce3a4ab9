package dev.gyre.machine.kernel;

import static dev.gyre.machine.assembler.Operand.Register.RAX;
import static dev.gyre.machine.assembler.Operand.Register.RCX;
import static dev.gyre.machine.assembler.Operand.Register.RDI;
import static dev.gyre.machine.assembler.Operand.Register.RDX;
import static dev.gyre.machine.assembler.Operand.Register.RSI;

import dev.gyre.machine.assembler.Assembler;
import dev.gyre.machine.assembler.Code;
import dev.gyre.machine.assembler.Instruction;
import dev.gyre.machine.assembler.Operand.Address;
import dev.gyre.machine.assembler.Operand.Vector;
import java.util.ArrayList;
import java.util.List;

/**
 * The error function as v · p(v²) / q(v²), where v is x within ±bound; Horner's rule in fused multiply-adds.
 *
 * @param bound beyond it the function is what it is there
 * @param numerator p's coefficients, of the highest power first
 * @param denominator q's
 */
public record ErfKernels(float bound, List<Float> numerator, List<Float> denominator) {
    /**
     * y = value · (½ · gate · (1 + erf(gate · √½))). Arguments: values, gates, y (may be one of them), rounds of {@link ElementwiseKernels#UNROLL} (at
     * least 1).
     */
    public Code geglu(int bits) {
        ElementwiseKernels rows = new ElementwiseKernels(bits);
        Table table = new Table(bits);
        Assembler asm = new Assembler();
        Assembler.Label numbers = asm.label("numbers");
        asm.lea(RAX, numbers);
        Address half = table.number(0.5f), one = table.number(1f), root = table.number(0.70710678f);
        Address least = table.number(-bound), most = table.number(bound);
        List<Address> p = numerator.stream().map(table::number).toList();
        List<Address> q = denominator.stream().map(table::number).toList();
        Assembler.Label round = asm.here("round");
        for (int i = 0; i < rows.vectors(); i++) {
            // Registers of their own, so that the vectors of a round are worked on side by side.
            Vector gate = rows.v(5 * i), x = rows.v(5 * i + 1), square = rows.v(5 * i + 2);
            Vector above = rows.v(5 * i + 3), below = rows.v(5 * i + 4);
            asm.op(Instruction.VMOVUPS, gate, rows.at(RSI, i));
            asm.op(Instruction.VMULPS, x, gate, root);
            // A comparison with NaN gives the second source: a NaN stays one.
            asm.op(Instruction.VMOVUPS, square, most);
            asm.op(Instruction.VMINPS, x, square, x);
            asm.op(Instruction.VMOVUPS, square, least);
            asm.op(Instruction.VMAXPS, x, square, x);
            asm.op(Instruction.VMULPS, square, x, x);
            horner(asm, above, square, p);
            horner(asm, below, square, q);
            asm.op(Instruction.VMULPS, x, x, above);
            asm.op(Instruction.VDIVPS, x, x, below);
            asm.op(Instruction.VADDPS, x, x, one);
            asm.op(Instruction.VMULPS, gate, gate, half);
            asm.op(Instruction.VMULPS, gate, gate, x);
            asm.op(Instruction.VMULPS, gate, gate, rows.at(RDI, i));
            asm.op(Instruction.VMOVUPS_STORE, rows.at(RDX, i), gate);
        }
        ElementwiseKernels.finish(asm, round, RCX, RDI, RSI, RDX);
        asm.bind(numbers);
        table.write(asm);
        return asm.code("geglu in vectors of " + bits);
    }

    private static void horner(Assembler asm, Vector sum, Vector x, List<Address> coefficients) {
        asm.op(Instruction.VMOVUPS, sum, coefficients.getFirst());
        for (Address next : coefficients.subList(1, coefficients.size())) asm.op(Instruction.VFMADD213PS, sum, x, next);
    }

    /** Numbers behind the code, each as a whole vector, found by rax. */
    private static final class Table {
        private final int bits;
        private final List<Float> numbers = new ArrayList<>();

        Table(int bits) {
            this.bits = bits;
        }

        Address number(float number) {
            numbers.add(number);
            return Address.at(RAX, (numbers.size() - 1) * bits / 8);
        }

        void write(Assembler asm) {
            for (float number : numbers) for (int lane = 0; lane < bits / 32; lane++) asm.floats(number);
        }
    }
}
