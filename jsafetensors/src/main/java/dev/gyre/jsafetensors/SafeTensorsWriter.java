package dev.gyre.jsafetensors;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Writes a safetensors file: first all tensors are declared, then {@link #write} asks for their data one after the other, so a file
 * may be larger than memory. The file is written beside its place and moved in when it is whole; a failure leaves nothing behind
 * and what was there before untouched.
 */
public final class SafeTensorsWriter {
    /** Where one tensor's data goes. */
    @FunctionalInterface
    public interface Sink {
        /** The next bytes of the tensor, little-endian. */
        void put(MemorySegment bytes) throws IOException;
    }

    /** Gives the data of one tensor, in as many pieces as it likes. */
    @FunctionalInterface
    public interface Source {
        void write(TensorInfo tensor, Sink to) throws IOException;
    }

    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private long end;

    /**
     * Declares the next tensor.
     *
     * @throws IllegalArgumentException when the name was declared before, is {@code __metadata__}, or the shape fills no whole bytes
     */
    public SafeTensorsWriter tensor(String name, DType dtype, long... shape) {
        long bits = dtype.bits();
        for (long dim : shape) {
            if (dim < 0) throw new IllegalArgumentException("tensor \"" + name + "\" has a negative dimension: " + dim);
            bits = Math.multiplyExact(bits, dim);
        }
        if (bits % 8 != 0)
            throw new IllegalArgumentException("tensor \"" + name + "\" of type " + dtype + " fills no whole bytes");
        if (name.equals(Header.METADATA)) throw new IllegalArgumentException(name + " is no tensor's name");
        List<Long> dims = java.util.Arrays.stream(shape).boxed().toList();
        TensorInfo info = new TensorInfo(name, dtype, dims, end, Math.addExact(end, bits / 8));
        if (tensors.putIfAbsent(name, info) != null)
            throw new IllegalArgumentException("tensor \"" + name + "\" is declared twice");
        end = info.end();
        return this;
    }

    /** Says something of the file. */
    public SafeTensorsWriter metadata(String key, String value) {
        metadata.put(key, value);
        return this;
    }

    /**
     * Writes the file, asking for every tensor's data in the order of declaration.
     *
     * @throws IOException when writing fails, or a tensor's data is not as long as declared
     */
    public void write(Path path, Source source) throws IOException {
        Path folder = path.toAbsolutePath().getParent();
        Path beside = Files.createTempFile(folder, "." + path.getFileName(), ".part");
        try {
            try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(beside), 1 << 20)) {
                byte[] header = header();
                out.write(ByteBuffer.allocate(8)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(header.length)
                        .array());
                out.write(header);
                for (TensorInfo tensor : tensors.values()) write(tensor, source, out);
            }
            Files.move(beside, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(beside);
        }
    }

    private static void write(TensorInfo tensor, Source source, OutputStream out) throws IOException {
        long[] written = {0};
        byte[] buffer = new byte[1 << 16];
        source.write(tensor, bytes -> {
            written[0] += bytes.byteSize();
            if (written[0] > tensor.bytes()) throw wrongSize(tensor, written[0] + " or more");
            for (long from = 0; from < bytes.byteSize(); from += buffer.length) {
                int n = (int) Math.min(buffer.length, bytes.byteSize() - from);
                MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, from, buffer, 0, n);
                out.write(buffer, 0, n);
            }
        });
        if (written[0] != tensor.bytes()) throw wrongSize(tensor, String.valueOf(written[0]));
    }

    private static IOException wrongSize(TensorInfo tensor, String got) {
        return new IOException("tensor \"" + tensor.name() + "\" has " + tensor.bytes() + " bytes, got " + got);
    }

    /** JSON, padded with spaces so that the data begins at a multiple of eight. */
    private byte[] header() throws IOException {
        StringBuilder json = new StringBuilder("{");
        if (!metadata.isEmpty())
            json.append(Json.quote(Header.METADATA))
                    .append(":{")
                    .append(metadata.entrySet().stream()
                            .map(e -> Json.quote(e.getKey()) + ":" + Json.quote(e.getValue()))
                            .collect(Collectors.joining(",")))
                    .append("}")
                    .append(tensors.isEmpty() ? "" : ",");
        json.append(tensors.values().stream()
                .map(t -> Json.quote(t.name()) + ":{\"dtype\":\"" + t.dtype() + "\",\"shape\":"
                        + t.shape().toString().replace(" ", "") + ",\"data_offsets\":[" + t.begin() + "," + t.end()
                        + "]}")
                .collect(Collectors.joining(",")));
        byte[] text = json.append("}").toString().getBytes(StandardCharsets.UTF_8);
        byte[] padded = java.util.Arrays.copyOf(text, (text.length + 7) / 8 * 8);
        java.util.Arrays.fill(padded, text.length, padded.length, (byte) ' ');
        if (padded.length > Header.MAX_LENGTH)
            throw new IOException("the header is over " + Header.MAX_LENGTH + " bytes");
        return padded;
    }
}
