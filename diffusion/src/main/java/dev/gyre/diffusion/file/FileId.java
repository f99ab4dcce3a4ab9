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
 * The file that something was read from, as pictures remember it.
 *
 * @param path as it was named, with slashes; the name alone where that was absolute: a picture says nothing about the folders of the
 *     machine that drew it
 * @param hash the first ten digits of its SHA-256, which tools call the file's hash; of shards, their index's
 */
public record FileId(String path, String hash) {
    private static final int DIGITS = 10;
    private static final Pattern TEXT = Pattern.compile("(?<path>.+) \\[(?<hash>[0-9a-f]{8,64})]");

    /** @throws IOException when the file cannot be read */
    public static FileId of(Path file) throws IOException {
        Path named = file.isAbsolute() ? file.getFileName() : file.normalize();
        return new FileId(named.toString().replace('\\', '/'), sha256(file, 0).substring(0, DIGITS));
    }

    /** Of what was read from a stream that somebody named. */
    public static FileId of(byte[] file, String name) {
        MessageDigest digest = digest();
        return new FileId(name, HexFormat.of().formatHex(digest.digest(file)).substring(0, DIGITS));
    }

    /** The path's last name. */
    public String name() {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    /**
     * Whether this is the file. AUTOMATIC1111 hashes an adapter without its header, which counts, too.
     *
     * @throws IOException when it cannot be read
     */
    public boolean is(Path file) throws IOException {
        if (sha256(file, 0).startsWith(hash)) return true;
        return name().endsWith(".safetensors") && sha256(file, header(file)).startsWith(hash);
    }

    /** Where a safetensors file's data begins; 0 where that makes no sense. */
    private static long header(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            long length = 0;
            byte[] first = in.readNBytes(8);
            for (int i = first.length - 1; i >= 0; i--) length = length << 8 | first[i] & 0xFF;
            return length > 0 && length < Files.size(file) - 8 ? 8 + length : 0;
        }
    }

    /** Of a file, its first bytes left out. */
    public static String sha256(Path file, long from) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            in.skipNBytes(from);
            return sha256(in);
        }
    }

    /** Of what is left of a stream. */
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

    /** Reads {@code style.safetensors [0123456789]}; empty where it is something else. */
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
