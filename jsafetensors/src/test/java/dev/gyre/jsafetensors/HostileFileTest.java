package dev.gyre.jsafetensors;

import static dev.gyre.jsafetensors.Bytes.entry;
import static dev.gyre.jsafetensors.Bytes.file;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a file may not be, each with the sentence that says so. */
class HostileFileTest {
    private static final String GOOD = entry("w", "F32", "[2]", 0, 8);

    /** The file is refused, and the message names it and holds all these words. */
    private static void refused(byte[] file, String... words) {
        String message =
                assertThrows(SafeTensorsException.class, () -> Bytes.open(file)).getMessage();
        assertTrue(message.startsWith("some.safetensors: "), message);
        for (String word : words) assertTrue(message.contains(word), message + " should say " + word);
    }

    private static void headerRefused(String header, String... words) {
        refused(file(header, 8), words);
    }

    @Test
    void theGoodFileThatTheOthersDifferFromOpens() throws Exception {
        try (SafeTensors good = Bytes.open(file("{" + GOOD + "}", 8))) {
            assertEquals(8, good.info("w").bytes());
        }
    }

    @Test
    void shorterThanItsLengthField() {
        refused(new byte[0], "at least 8 bytes");
        refused(new byte[7], "at least 8 bytes");
    }

    @Test
    void headerLengthBeyondTheFile() {
        byte[] header = ("{" + GOOD + "}").getBytes(StandardCharsets.UTF_8);
        refused(file(header.length + 9, header, 8), "length " + (header.length + 9), "beyond the file");
    }

    @Test
    void headerLengthOverTheLimit() {
        refused(file(100_000_001, new byte[] {'{'}, 0), "100000001", "over the limit of 100000000");
        refused(file(Long.MAX_VALUE, new byte[] {'{'}, 0), "9223372036854775807", "over the limit");
        refused(file(-1, new byte[] {'{'}, 0), "18446744073709551615", "over the limit");
    }

    @Test
    void truncatedHeader() {
        byte[] whole = file("{" + GOOD + "}", 0);
        refused(Arrays.copyOf(whole, whole.length - 5), "header", "beyond the file");
    }

    @Test
    void truncatedData() {
        byte[] whole = file("{" + GOOD + "}", 8);
        refused(
                Arrays.copyOf(whole, whole.length - 3),
                "tensor \"w\"",
                "ends at byte 8",
                "only 5",
                "3 bytes are missing");
    }

    @Test
    void dataBeyondTheLastTensor() {
        refused(file("{" + GOOD + "}", 11), "3 bytes", "tensor \"w\"", "belong to no tensor");
        refused(file("{}", 4), "4 bytes", "belong to no tensor");
    }

    @Test
    void offsetsOutOfRange() {
        headerRefused("{" + entry("far", "F32", "[2]", 1_000_000, 1_000_008) + "}", "\"far\"", "only 8");
        headerRefused("{" + entry("far", "U8", "[1]", Long.MAX_VALUE - 1, Long.MAX_VALUE) + "}", "\"far\"", "only 8");
        headerRefused("{" + entry("before", "F32", "[2]", -8, 0) + "}", "\"before\"", "negative", "-8");
    }

    @Test
    void reversedOffsets() {
        headerRefused("{" + entry("back", "F32", "[2]", 8, 0) + "}", "\"back\"", "ends before it begins", "[8, 0]");
    }

    @Test
    void overlap() {
        headerRefused(
                "{" + entry("a", "U8", "[6]", 0, 6) + "," + entry("b", "U8", "[4]", 4, 8) + "}",
                "\"b\"",
                "overlaps",
                "\"a\"");
        headerRefused("{" + GOOD + "," + entry("twin", "F32", "[2]", 0, 8) + "}", "\"twin\"", "overlaps", "\"w\"");
    }

    @Test
    void anEmptyTensorInsideAnother() {
        headerRefused("{" + GOOD + "," + entry("empty", "F32", "[0]", 4, 4) + "}", "\"empty\"", "overlaps", "\"w\"");
    }

    @Test
    void hole() {
        headerRefused(
                "{" + entry("a", "U8", "[3]", 0, 3) + "," + entry("b", "U8", "[4]", 4, 8) + "}",
                "hole of 1 bytes",
                "\"a\"",
                "\"b\"");
        headerRefused("{" + entry("late", "U8", "[7]", 1, 8) + "}", "hole of 1 bytes", "\"late\"");
    }

    @Test
    void sizeThatIsNotTheShapes() {
        headerRefused("{" + entry("w", "F32", "[3]", 0, 8) + "}", "\"w\"", "takes 12 bytes", "hold 8");
        headerRefused("{" + entry("w", "F32", "[]", 0, 8) + "}", "\"w\"", "takes 4 bytes", "hold 8");
        headerRefused("{" + entry("w", "F32", "[0]", 0, 8) + "}", "\"w\"", "takes 0 bytes", "hold 8");
    }

    @Test
    void shapeThatOverflows() {
        headerRefused("{" + entry("big", "F32", "[4294967296,4294967296]", 0, 8) + "}", "\"big\"", "overflows");
        // elements fit in 64 bits, bits do not: unchecked this would wrap around to 8 bytes
        headerRefused("{" + entry("big", "F32", "[576460752303423490]", 0, 8) + "}", "\"big\"", "overflows");
        headerRefused("{" + entry("big", "U8", "[9223372036854775807,2,0]", 0, 0) + "}", "\"big\"", "overflows");
        headerRefused("{" + entry("big", "U8", "[9223372036854775808]", 0, 8) + "}", "\"big\"", "64 bits");
        headerRefused("{" + entry("big", "U8", "[18446744073709551624]", 0, 8) + "}", "\"big\"", "64 bits");
    }

    @Test
    void negativeDimension() {
        headerRefused("{" + entry("w", "F32", "[-1,-2]", 0, 8) + "}", "\"w\"", "negative dimension", "[-1, -2]");
    }

    @Test
    void tooManyDimensions() {
        String shape = "[1" + ",1".repeat(64) + "]";
        headerRefused("{" + entry("w", "U8", shape, 0, 1) + "}", "\"w\"", "more than 64");
    }

    @Test
    void bitsThatFillNoBytes() {
        headerRefused("{" + entry("w", "F4", "[15]", 0, 8) + "}", "\"w\"", "F4", "whole bytes");
        headerRefused("{" + entry("w", "F6_E2M3", "[3]", 0, 3) + "}", "\"w\"", "F6_E2M3", "18 bits");
    }

    @Test
    void unknownDtype() {
        headerRefused("{" + entry("w", "F31", "[2]", 0, 8) + "}", "\"w\"", "unknown dtype \"F31\"");
        headerRefused("{" + entry("w", "f32", "[2]", 0, 8) + "}", "\"w\"", "unknown dtype \"f32\"");
    }

    @Test
    void duplicateKeys() {
        headerRefused("{" + GOOD + "," + GOOD + "}", "\"w\"", "twice");
        headerRefused("{" + GOOD + "," + GOOD.replace("\"w\"", "\"\\u0077\"") + "}", "\"w\"", "twice");
        headerRefused("{\"w\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", "\"w\"", "\"dtype\"", "twice");
        headerRefused("{\"w\":{\"x\":1,\"x\":2}}", "\"w\"", "\"x\"", "twice");
        headerRefused("{\"__metadata__\":{\"k\":\"1\",\"k\":\"1\"}," + GOOD + "}", "__metadata__", "\"k\"", "twice");
        headerRefused("{\"__metadata__\":{},\"__metadata__\":{}," + GOOD + "}", "__metadata__", "twice");
    }

    @Test
    void missingFields() {
        headerRefused("{\"w\":{\"shape\":[2],\"data_offsets\":[0,8]}}", "\"w\"", "no \"dtype\"");
        headerRefused("{\"w\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", "\"w\"", "no \"shape\"");
        headerRefused("{\"w\":{\"dtype\":\"F32\",\"shape\":[2]}}", "\"w\"", "no \"data_offsets\"");
        headerRefused("{\"w\":{}}", "\"w\"", "no \"dtype\"");
    }

    @Test
    void offsetsThatAreNotTwo() {
        headerRefused("{" + GOOD.replace("[0,8]", "[8]") + "}", "\"w\"", "[8]", "two numbers");
        headerRefused("{" + GOOD.replace("[0,8]", "[0,8,9]") + "}", "\"w\"", "more than 2", "data_offsets");
    }

    @Test
    void fieldsOfTheWrongKind() {
        headerRefused("{\"w\":", "\"w\"", "'{' was expected", "its end");
        headerRefused("{\"w\":}", "\"w\"", "'{' was expected", "'}'");
        headerRefused("{\"w\":[]}", "\"w\"", "'{' was expected", "'['");
        headerRefused("{" + GOOD.replace("\"F32\"", "32") + "}", "\"w\"", "'\"' was expected", "'3'");
        headerRefused("{" + GOOD.replace("[2]", "2") + "}", "\"w\"", "'[' was expected", "'2'");
        headerRefused("{" + GOOD.replace("[2]", "[\"2\"]") + "}", "\"w\"", "whole number");
        headerRefused("{\"__metadata__\":{\"k\":1}," + GOOD + "}", "__metadata__", "'1'");
        headerRefused("{\"__metadata__\":[]," + GOOD + "}", "__metadata__", "'['");
    }

    @ParameterizedTest
    @ValueSource(strings = {"2.0", "2e0", "2E0", "02", "-0", "--2", "+2", "2x", "0x2", "-", "", "NaN", "2 2"})
    void numbersThatAreNotPlain(String number) {
        headerRefused("{" + GOOD.replace("[2]", "[" + number + "]").replace("[]", "[ ,]") + "}", "\"w\"");
    }

    /** The reference reader's JSON begins behind white space, of JSON's own four kinds. */
    @ParameterizedTest
    @ValueSource(strings = {" ", "\t", "\n", "\r", " \r\n\t "})
    void whiteSpaceBeforeTheHeader(String white) throws Exception {
        try (SafeTensors opened = Bytes.open(file(white + "{" + GOOD + "}", 8))) {
            assertEquals(8, opened.info("w").bytes());
        }
    }

    /** What people have in place of a safetensors file, by its first bytes, and what they read of it. */
    static Stream<Arguments> foreignFiles() {
        return Stream.of(
                arguments("<!DOCTYPE html>\n<html><head><title>Log in</title></head></html>", "a web page"),
                arguments("\ufeff\r\n<HTML lang=en>", "a web page"),
                arguments(
                        "version https://git-lfs.github.com/spec/v1\noid sha256:6ce0161689b3853acaa03779ec93eafe75a02f4ced659bee03f"
                                + "50797806fa2fa\nsize 4265146304\n",
                        "a Git LFS pointer to a file of 4265146304 bytes"),
                arguments("{\"error\": \"Repository not found\"}", "a JSON file"),
                arguments("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "an XML file"),
                arguments("Entry not found", "a text file that begins with \"Entry not found\""),
                arguments("GGUF\3\0\0\0\0\0\0\0\0\0\0\0", "a GGUF file"),
                arguments("PK\3\4\0\0\b\b\0\0\0\0\0\0\0\0\0\0archive/data.pkl", "a zip archive"),
                arguments("\u0080\2\u008a\nl\u00fc\u009cF\u00f9 j\u00a8P\u0019.", "a Python pickle"),
                arguments("\u0089HDF\r\n\u001a\n", "an HDF5 file"),
                arguments("\u0089PNG\r\n\u001a\n", "a picture"),
                arguments("\u001f\u008b\b\0\0\0\0\0\0\3", "a compressed file"));
    }

    @ParameterizedTest
    @MethodSource("foreignFiles")
    void foreignFile(String start, String kind) {
        boolean text = start.indexOf('\ufeff') >= 0;
        refused(
                start.getBytes(text ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1),
                "no safetensors file: it is " + kind);
    }

    @Test
    void foreignTextCannotSteerATerminal() {
        refused("\u001b[2Jcleared".getBytes(StandardCharsets.UTF_8), "no safetensors file");
        refused("a\tb\u0007 and so on".getBytes(StandardCharsets.UTF_8), "over the limit");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "null",
                "7",
                "\u00a0{}",
                "\u000b{}",
                "\ufeff{}",
                "{",
                "{]",
                "{,}",
                "{\"a\"",
                "{} x",
                "{}{}",
                "{\"__metadata__\":{},}",
                "{'a':1}",
                "{\"a",
                "\0\0\0",
                "{\"__metadata__\":nul}",
                "{\"__metadata__\":{\"a\":\"b\"}"
            })
    void notJson(String header) {
        refused(file(header, 0), "header");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"x\":tru,",
                "{\"x\":[1,],",
                "{\"x\":[1 2],",
                "{\"x\":.5,",
                "{\"x\":1.,",
                "{\"x\":1e,",
                "{\"x\":-,",
                "{\"x\":01,",
                "{\"x\":{1:2},",
                "{\"x\":[},",
                "{\"x\":\"\\q\",",
                "{\"x\":\"\n\",",
                "{\"x\":\"\\ud800\",",
                "{\"x\":\"\\udc00\\ud800\",",
                "{\"x\":\"\\u12g4\",",
                "{\"x\":\"\\u１234\","
            })
    void notJsonInAFieldThatIsPassedOver(String beginning) {
        headerRefused("{" + GOOD.replace("{", beginning) + "}", "tensor \"w\"");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ff",
                "80",
                "c080",
                "c1bf",
                "e08080",
                "eda080",
                "edbfbf",
                "f0808080",
                "f4908080",
                "f8888080",
                "c3",
                "e282"
            })
    void notUtf8(String hex) {
        byte[] name = java.util.HexFormat.of().parseHex(hex);
        byte[] before = "{\"".getBytes(StandardCharsets.UTF_8);
        byte[] after = GOOD.substring(2).concat("}").getBytes(StandardCharsets.UTF_8);
        byte[] header = Arrays.copyOf(before, before.length + name.length + after.length);
        System.arraycopy(name, 0, header, before.length, name.length);
        System.arraycopy(after, 0, header, before.length + name.length, after.length);
        refused(file(header, 8), "header", "not UTF-8", "byte 2");
    }

    @Test
    void deepNesting() {
        String deep = "[".repeat(1_000_000);
        headerRefused("{\"w\":" + deep, "\"w\"", "'['");
        headerRefused("{\"w\":{\"x\":" + deep, "\"w\"", "nested deeper than 64");
        headerRefused("{\"w\":{\"x\":" + "{\"a\":".repeat(1_000_000), "\"w\"", "nested deeper than 64");
    }

    @Test
    void aNameFitForNoMessageIsShortenedInIt() {
        String message = assertThrows(
                        SafeTensorsException.class,
                        () -> Bytes.open(file("{\"\\u001b[2J" + "n".repeat(1_000_000) + "\":[]}", 0)))
                .getMessage();
        assertTrue(message.length() < 400, () -> "length " + message.length());
        assertTrue(message.contains("\"?[2Jnnn"), message);
    }
}
