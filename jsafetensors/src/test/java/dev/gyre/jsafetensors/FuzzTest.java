package dev.gyre.jsafetensors;

import static dev.gyre.jsafetensors.Bytes.entry;
import static dev.gyre.jsafetensors.Bytes.file;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Good files with mistakes put in: each either opens into tensors that lie in the file, or is refused with the one exception that
 * says so. Whatever else is thrown fails the test by itself, with the number of the file that did it.
 */
class FuzzTest {
    private static final int FILES = 100_000;
    private static final long SEED = 20_240_607;

    private static final List<byte[]> GOOD = List.of(
            file("{}", 0),
            file("{" + entry("w", "F32", "[2,3]", 0, 24) + "}   ", 24),
            file(
                    "{" + entry("a", "F16", "[4]", 0, 8) + "," + entry("b", "BF16", "[]", 8, 10) + ","
                            + entry("c", "I64", "[0,7]", 10, 10) + "," + entry("d", "U8", "[5]", 10, 15) + "}",
                    15),
            file(
                    "{\"__metadata__\":{\"format\":\"pt\",\"\\u00e9\\ud83d\\ude00\":\"é😀\\n\"}, "
                            + entry("x.y", "F4", "[2,2]", 0, 2) + " , " + entry("z", "I32", "[1]", 2, 6) + " }",
                    6),
            file(
                    "{" + entry("q", "F6_E3M2", "[4]", 4, 7) + ","
                            + entry("p", "F32", "[1]", 0, 4)
                                    .replace("}", ",\"more\":[1.5e-3,{\"deep\":[null,true,\"]\"]}]}")
                            + "}",
                    7));

    private static final String[] NUMBERS = {
        "0",
        "1",
        "2",
        "3",
        "4",
        "7",
        "8",
        "16",
        "24",
        "-1",
        "-0",
        "00",
        "1.0",
        "1e9",
        "255",
        "2147483648",
        "4294967296",
        "4611686018427387904",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "18446744073709551615",
        "99999999999999999999999999"
    };

    private static final String[] PIECES = {
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u",
        "\\ud800",
        "null",
        "true",
        "[[[[[[[[",
        "{\"a\":",
        "\0",
        "\n",
        "é",
        "\"dtype\":",
        "\"F64\"",
        "\"F4\"",
        "\"shape\":",
        "\"data_offsets\":",
        "\"__metadata__\":{}",
        ",\"w\":{}"
    };

    @Test
    void everyFileOpensConsistentlyOrIsRefused() {
        Random random = new Random(SEED);
        int accepted = 0;
        int refused = 0;
        for (int i = 0; i < FILES; i++) {
            byte[] file = GOOD.get(random.nextInt(GOOD.size())).clone();
            for (int mistakes = 1 + random.nextInt(3); mistakes > 0; mistakes--) file = mutate(file, random);
            try (SafeTensors opened = Bytes.open(file)) {
                check(opened, file);
                accepted++;
            } catch (SafeTensorsException e) {
                assertTrue(e.getMessage().startsWith("some.safetensors: "), e.getMessage());
                refused++;
            } catch (RuntimeException | Error e) {
                throw new AssertionError("file " + i + " of seed " + SEED, e);
            }
        }
        assertEquals(FILES, accepted + refused);
        assertTrue(accepted > 1_000, "accepted " + accepted);
        assertTrue(refused > 1_000, "refused " + refused);
    }

    /** All that an open file promises. */
    private static void check(SafeTensors opened, byte[] file) {
        long headerLength = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
        long dataBytes = file.length - 8 - headerLength;
        long total = 0;
        for (String name : opened.names()) {
            TensorInfo info = opened.info(name);
            assertEquals(name, info.name());
            assertTrue(0 <= info.begin() && info.begin() <= info.end() && info.end() <= dataBytes, info::toString);
            assertEquals(info.elements() * info.dtype().bits(), 8 * info.bytes(), info::toString);
            total += info.bytes();
            if (!info.dtype().readable()) continue;
            byte[] data = opened.data(name).toArray(ValueLayout.JAVA_BYTE);
            int from = (int) (8 + headerLength + info.begin());
            assertTrue(Arrays.equals(data, 0, data.length, file, from, from + data.length), info::toString);
            switch (info.dtype()) {
                case F32, F16, BF16 -> assertEquals(info.elements(), opened.floats(name).length);
                default -> assertEquals(info.bytes(), data.length);
            }
        }
        assertEquals(dataBytes, total);
    }

    private static byte[] mutate(byte[] file, Random random) {
        if (file.length == 0) return new byte[] {(byte) random.nextInt()};
        switch (random.nextInt(8)) {
            case 0:
                file[random.nextInt(file.length)] ^= (byte) (1 << random.nextInt(8));
                return file;
            case 1:
                return Arrays.copyOf(file, random.nextInt(file.length));
            case 2:
                return spliceWithin(file, random);
            case 3:
                return editHeader(file, random, NUMBERS[random.nextInt(NUMBERS.length)], true);
            case 4:
                return editHeader(file, random, String.valueOf(random.nextInt(32)), true);
            case 5:
                return editHeader(file, random, PIECES[random.nextInt(PIECES.length)], false);
            case 6:
                return editLength(file, random);
            default:
                return Arrays.copyOf(file, file.length + 1 + random.nextInt(8));
        }
    }

    /** A stretch of the file, copied over another place, as long as it was or making room. */
    private static byte[] spliceWithin(byte[] file, Random random) {
        int from = random.nextInt(file.length);
        int length = random.nextInt(Math.min(40, file.length - from) + 1);
        byte[] piece = Arrays.copyOfRange(file, from, from + length);
        int to = random.nextInt(file.length);
        return replace(file, to, random.nextBoolean() ? Math.min(length, file.length - to) : 0, piece);
    }

    /** Replaces one number of the header, or puts text anywhere into it, and mends the length so that the reader gets to it. */
    private static byte[] editHeader(byte[] file, Random random, String text, boolean number) {
        int headerEnd = headerEnd(file);
        if (headerEnd <= 8) return file;
        int at = 8 + random.nextInt(headerEnd - 8);
        int length = 0;
        if (number) {
            while (at < headerEnd && !isDigit(file[at])) at++;
            while (at > 8 && at < headerEnd && isDigit(file[at - 1])) at--;
            while (at + length < headerEnd && isDigit(file[at + length])) length++;
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        byte[] edited = replace(file, at, length, bytes);
        ByteBuffer.wrap(edited).order(ByteOrder.LITTLE_ENDIAN).putLong(headerEnd - 8L + bytes.length - length);
        return edited;
    }

    private static byte[] editLength(byte[] file, Random random) {
        if (file.length < 8) return file;
        ByteBuffer front = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        front.putLong(0, random.nextBoolean() ? front.getLong(0) + random.nextInt(-9, 10) : random.nextLong());
        return file;
    }

    private static int headerEnd(byte[] file) {
        if (file.length < 8) return 0;
        long length = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
        return length < 0 || length > file.length - 8 ? file.length : 8 + (int) length;
    }

    private static boolean isDigit(byte b) {
        return b >= '0' && b <= '9';
    }

    private static byte[] replace(byte[] file, int at, int length, byte[] with) {
        byte[] result = new byte[file.length - length + with.length];
        System.arraycopy(file, 0, result, 0, at);
        System.arraycopy(with, 0, result, at, with.length);
        System.arraycopy(file, at + length, result, at + with.length, file.length - at - length);
        return result;
    }
}
