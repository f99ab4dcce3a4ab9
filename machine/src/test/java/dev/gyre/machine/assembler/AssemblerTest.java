package dev.gyre.machine.assembler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.machine.Cpuid;
import dev.gyre.machine.assembler.Operand.Address;
import dev.gyre.machine.assembler.Operand.Register;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;

class AssemblerTest {
    /** What GNU as made of every instruction, see references/encodings.sh. */
    private static Map<String, String> table() throws IOException {
        Map<String, String> table = new LinkedHashMap<>();
        try (BufferedReader in = new BufferedReader(new InputStreamReader(
                new GZIPInputStream(AssemblerTest.class.getResourceAsStream("encodings.tsv.gz")),
                StandardCharsets.US_ASCII))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String[] fields = line.split("\t");
                table.put(fields[0], fields[1]);
            }
        }
        return table;
    }

    @Test
    void instructionsAreEncodedAsByAnIndependentAssembler() throws IOException {
        Map<String, String> table = table();
        Map<String, byte[]> lines = Encodings.lines();
        assertTrue(lines.size() > 5000, "only " + lines.size());
        lines.forEach(
                (text, bytes) -> assertEquals(table.get(text), HexFormat.of().formatHex(bytes), text));
    }

    @Test
    void shortBackwardJumpsUseOneByte() {
        Assembler asm = new Assembler();
        Assembler.Label back = asm.here("back"), on = asm.label("on");
        asm.jump(on);
        asm.jump(Assembler.Condition.NOT_ZERO, back);
        for (int i = 0; i < 40; i++) asm.add(Register.RAX, Register.RCX);
        asm.jump(Assembler.Condition.LESS, back);
        asm.jump(back);
        asm.bind(on);
        asm.ret();
        String hex = HexFormat.of().formatHex(asm.code("jumps").bytes());
        assertEquals("e985000000" + "75f9" + "4801c8".repeat(40) + "0f8c7bffffff" + "e976ffffff" + "c3", hex);
    }

    @Test
    void aLabelIsBoundExactlyOnce() {
        Assembler asm = new Assembler();
        Assembler.Label label = asm.here("label");
        assertThrows(IllegalStateException.class, () -> asm.bind(label));
        asm.jump(asm.label("nowhere"));
        assertThrows(IllegalStateException.class, () -> asm.code("lost"));
    }

    @Test
    void invalidAddressesAreRejected() {
        assertThrows(IllegalArgumentException.class, () -> Address.at(Register.RAX, Register.RSP, 1, 0));
        assertThrows(IllegalArgumentException.class, () -> Address.at(Register.RAX, Register.RCX, 3, 0));
    }

    @Test
    void aListingShowsOffsetsBytesAndInstructions() {
        String listing = Cpuid.xgetbv().listing();
        assertEquals(
                """
                xgetbv, 11 bytes
                     0: 48 c7 c1 00 00 00 00               mov rcx, 0
                     7: 0f 01 d0                           xgetbv
                     a: c3                                 ret
                """,
                listing);
    }
}
