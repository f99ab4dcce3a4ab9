package dev.gyre.jsafetensors;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Recognizes files that people have in place of a safetensors file, so that an error can say what to do. */
final class ForeignFile {
    private static final int LOOKED_AT = 1024;
    private static final Pattern LFS = Pattern.compile(
            "version https://git-lfs\\.github\\.com/spec/v1\\s.*?size (\\d{1,19})\\s.*", Pattern.DOTALL);

    private ForeignFile() {}

    /** What the file is instead, as the end of "it is …"; empty for bytes of no known kind. */
    static Optional<String> describe(MemorySegment file) {
        byte[] start = file.asSlice(0, Math.min(file.byteSize(), LOOKED_AT)).toArray(ValueLayout.JAVA_BYTE);
        String latin = new String(start, StandardCharsets.ISO_8859_1);
        if (latin.startsWith("GGUF")) return Optional.of("a GGUF file");
        if (latin.startsWith("PK\3\4"))
            return Optional.of("a zip archive, as PyTorch's .ckpt, .pt and .bin files are; convert it to safetensors");
        if (latin.startsWith("\u0080\2") || latin.startsWith("\u0080\3") || latin.startsWith("\u0080\4"))
            return Optional.of("a Python pickle, as older .ckpt, .pt and .bin files are; convert it to safetensors");
        if (latin.startsWith("\u0089HDF\r\n")) return Optional.of("an HDF5 file, as Keras writes");
        if (latin.startsWith("\u0093NUMPY")) return Optional.of("a NumPy array");
        if (latin.startsWith("\u0089PNG")
                || latin.startsWith("\u00ff\u00d8\u00ff")
                || latin.startsWith("RIFF")
                || latin.startsWith("GIF8")) return Optional.of("a picture");
        if (latin.startsWith("\u001f\u008b")
                || latin.startsWith("\u00fd7zXZ")
                || latin.startsWith("7z\u00bc\u00af")
                || latin.startsWith("(\u00b5/\u00fd")) return Optional.of("a compressed file; unpack it");
        return text(start);
    }

    private static Optional<String> text(byte[] start) {
        String text = new String(start, StandardCharsets.UTF_8).replaceFirst("^[\\uFEFF\\s]+", "");
        String lower = text.toLowerCase(Locale.ROOT);
        Matcher pointer = LFS.matcher(text);
        if (pointer.matches())
            return Optional.of("a Git LFS pointer to a file of " + pointer.group(1)
                    + " bytes; fetch that with \"git lfs pull\" or download it");
        if (lower.startsWith("<!doctype html") || lower.startsWith("<html") || lower.startsWith("<head"))
            return Optional.of("a web page; the download needs another address, or a login");
        if (lower.startsWith("<?xml") || lower.startsWith("<error"))
            return Optional.of("an XML file, such as a server's error message");
        if (text.startsWith("{") || text.startsWith("["))
            return Optional.of("a JSON file, such as a configuration or a server's error message");
        String line = text.lines().findFirst().orElse("");
        boolean readable =
                !line.isBlank() && text.chars().noneMatch(c -> c == 0xFFFD || c < ' ' && !Character.isWhitespace(c));
        return readable
                ? Optional.of("a text file that begins with " + SafeTensorsException.quote(line.strip()))
                : Optional.empty();
    }
}
