package dev.gyre.machine.kernel;

import dev.gyre.machine.assembler.Operand;
import dev.gyre.machine.assembler.Operand.Address;
import dev.gyre.machine.assembler.Operand.Tile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.LongSupplier;

/** AMX's tiles and their configuration. */
final class EmulatedTiles {
    private static final int ROWS = 16, LANES = 16;

    private final Emulator machine;
    private final int[][][] tiles = new int[8][ROWS][LANES];
    private final int[] rows = new int[8];
    private final int[] bytes = new int[8];
    private boolean configured;

    EmulatedTiles(Emulator machine) {
        this.machine = machine;
    }

    void end() {
        if (configured) throw new IllegalStateException("tiles were not released");
    }

    Emulator.Step step(String mnemonic, Operand[] o) {
        return switch (mnemonic) {
            case "ldtilecfg" -> {
                LongSupplier address = machine.address(o[0]);
                yield () -> configure(machine.at(address.getAsLong(), 64));
            }
            case "tilerelease" -> () -> configured = false;
            case "tilezero" -> () -> tiles[tile(o[0])] = new int[ROWS][LANES];
            case "tileloadd" -> move(o[0], (Address) o[1], true);
            case "tilestored" -> move(o[1], (Address) o[0], false);
            case "tdpbf16ps" -> () -> multiply(tile(o[0]), tile(o[1]), tile(o[2]));
            default -> throw new IllegalArgumentException("no emulation of " + mnemonic);
        };
    }

    private int tile(Operand operand) {
        if (!configured) throw new IllegalStateException(operand + " before ldtilecfg");
        return ((Tile) operand).number();
    }

    private void configure(MemorySegment shapes) {
        byte palette = shapes.get(ValueLayout.JAVA_BYTE, 0);
        if (palette != 1) throw new IllegalStateException("palette " + palette);
        for (int t = 0; t < 8; t++) {
            bytes[t] = shapes.get(ValueLayout.JAVA_SHORT_UNALIGNED, 16 + 2 * t);
            rows[t] = shapes.get(ValueLayout.JAVA_BYTE, 48 + t);
            if (bytes[t] > 4 * LANES || rows[t] > ROWS || bytes[t] < 1 || rows[t] < 1)
                throw new IllegalStateException("tile " + t + " of " + rows[t] + " rows of " + bytes[t] + " bytes");
            tiles[t] = new int[ROWS][LANES];
        }
        configured = true;
    }

    /** The index register holds the stride. */
    private Emulator.Step move(Operand tile, Address place, boolean load) {
        LongSupplier first = machine.address(place);
        return () -> {
            int t = tile(tile), lanes = bytes[t] / 4;
            long distance = machine.value(place.index()) * place.scale(), begin = first.getAsLong() - distance;
            if (load) tiles[t] = new int[ROWS][LANES];
            for (int row = 0; row < rows[t]; row++) {
                MemorySegment line = machine.at(begin + row * distance, bytes[t]);
                if (load) MemorySegment.copy(line, ValueLayout.JAVA_INT_UNALIGNED, 0, tiles[t][row], 0, lanes);
                else MemorySegment.copy(tiles[t][row], 0, line, ValueLayout.JAVA_INT_UNALIGNED, 0, lanes);
            }
        };
    }

    /** Sums of the pairs' first elements and of their second, each a chain from zero; then the sum of both is added. */
    private void multiply(int c, int a, int b) {
        if (rows[a] != rows[c] || bytes[b] != bytes[c] || bytes[a] != 4 * rows[b])
            throw new IllegalStateException("shapes do not fit: tiles " + c + ", " + a + ", " + b);
        for (int m = 0; m < rows[c]; m++)
            for (int n = 0; n < bytes[c] / 4; n++) {
                int first = 0, second = 0;
                for (int k = 0; k < rows[b]; k++) {
                    int x = tiles[a][m][k], y = tiles[b][k][n];
                    first = Arithmetic.flushedFma(x << 16, y << 16, first);
                    second = Arithmetic.flushedFma(x & 0xFFFF0000, y & 0xFFFF0000, second);
                }
                int one = 0x3F800000, both = Arithmetic.flushedFma(first, one, second);
                tiles[c][m][n] = Arithmetic.flushedFma(both, one, tiles[c][m][n]);
            }
    }
}
