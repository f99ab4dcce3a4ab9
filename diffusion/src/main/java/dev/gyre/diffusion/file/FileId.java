package dev.gyre.diffusion.file;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Identifies a file that something was read from, as recorded in pictures.
 *
 * @param path as it was given, with slashes; of an absolute path the name alone, so that a picture says nothing about the folders of the
 *     machine that generated it
 * @param hash the first ten digits of its SHA-256; of shards, of their index
 */
public record FileId(String path, String hash) {
    private static final int DIGITS = 10;
    private static final Pattern TEXT = Pattern.compile("(?<path>.+) \\[(?<hash>[0-9a-f]{8,64})]");

    /** @throws IOException when the file cannot be read */
    public static FileId of(Path file) throws IOException {
        Path named = file.isAbsolute() ? file.getFileName() : file.normalize();
        return new FileId(named.toString().replace('\\', '/'), sha256(file, 0).substring(0, DIGITS));
    }

    /** Of bytes in memory. */
    public static FileId of(byte[] file, String name) {
        MessageDigest digest = digest();
        return new FileId(name, HexFormat.of().formatHex(digest.digest(file)).substring(0, DIGITS));
    }

    /** The file name. */
    public String name() {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    /**
     * Whether a file has this hash, or AUTOMATIC1111's of an adapter, which omits the header.
     *
     * @throws IOException when it cannot be read
     */
    public boolean is(Path file) throws IOException {
        if (sha256(file, 0).startsWith(hash)) return true;
        return name().endsWith(".safetensors") && sha256(file, header(file)).startsWith(hash);
    }

    /** The offset of a safetensors file's data; 0 where the header is invalid. */
    private static long header(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            long length = 0;
            byte[] first = in.readNBytes(8);
            for (int i = first.length - 1; i >= 0; i--) length = length << 8 | first[i] & 0xFF;
            return length > 0 && length < Files.size(file) - 8 ? 8 + length : 0;
        }
    }

    /** The SHA-256 of a file without its first bytes. */
    public static String sha256(Path file, long from) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            in.skipNBytes(from);
            return sha256(in);
        }
    }

    /** The SHA-256 of the rest of a stream. */
    public static String sha256(InputStream in) throws IOException {
        MessageDigest digest = digest();
        byte[] buffer = new byte[1 << 20];
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) digest.update(buffer, 0, n);
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** Parses {@code style.safetensors [0123456789]}; empty for anything else. */
    public static Optional<FileId> parse(String text) {
        Matcher matcher = TEXT.matcher(text);
        return matcher.matches()
                ? Optional.of(new FileId(matcher.group("path"), matcher.group("hash")))
                : Optional.empty();
    }

    @Override
    public String toString() {
        return path + " [" + hash + "]";
    }
}
