package dev.gyre.jsafetensors;

import static dev.gyre.jsafetensors.SafeTensorsException.quote;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
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
        /** Puts the tensor's data, its shape and type's number of bytes in all; what it throws ends the writing. */
        void write(TensorInfo tensor, Sink to) throws IOException;
    }

    private final Map<String, TensorInfo> tensors = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private long end;

    /**
     * Declares the next tensor.
     *
     * @throws IllegalArgumentException when the name was declared before, is {@code __metadata__} or no Unicode, or the shape is
     *     negative, overflows or fills no whole bytes
     */
    public SafeTensorsWriter tensor(String name, StoredType dtype, long... shape) {
        List<Long> dims = Arrays.stream(shape).boxed().toList();
        if (name.equals(Header.METADATA)) throw new IllegalArgumentException(name + " is no tensor's name");
        checkText(name);
        TensorInfo info;
        try {
            info = new TensorInfo(name, dtype, dims, end, Math.addExact(end, TensorInfo.bytes(dtype, dims)));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("tensor " + quote(name) + " " + e.getMessage(), e);
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("tensor " + quote(name) + " ends beyond what a file can hold", e);
        }
        if (tensors.putIfAbsent(name, info) != null)
            throw new IllegalArgumentException("tensor " + quote(name) + " is declared twice");
        end = info.end();
        return this;
    }

    /**
     * Says something of the file.
     *
     * @throws IllegalArgumentException when the key was given before
     */
    public SafeTensorsWriter metadata(String key, String value) {
        checkText(key);
        checkText(value);
        if (metadata.putIfAbsent(key, value) != null)
            throw new IllegalArgumentException("metadata " + quote(key) + " is given twice");
        return this;
    }

    /** Half a surrogate pair has no UTF-8: two names would become one. */
    private static void checkText(String text) {
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(text))
            throw new IllegalArgumentException("the text " + quote(text) + " holds half of a surrogate pair");
    }

    /**
     * Writes the file, asking for every tensor's data in the order of declaration.
     *
     * @throws SafeTensorsException when a tensor's data is not as long as declared, or the header is too long
     * @throws IOException when writing fails
     */
    public void write(Path path, Source source) throws IOException {
        if (Files.isDirectory(path))
            throw new SafeTensorsException(path.toString(), "a file is to be written, this is a folder");
        Path folder = path.toAbsolutePath().getParent();
        if (Files.notExists(folder))
            throw new NoSuchFileException(path.toString(), null, "the folder " + folder + " does not exist");
        byte[] header = header(path.toString());
        // Not Files.createTempFile: what that makes only its owner may read, and it would stay so after the move.
        Path beside = folder.resolve("." + path.getFileName() + "." + UUID.randomUUID() + ".part");
        try {
            try (FileChannel channel =
                    FileChannel.open(beside, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 20);
                out.write(ByteBuffer.allocate(8)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(header.length)
                        .array());
                out.write(header);
                for (TensorInfo tensor : tensors.values()) {
                    Body body = new Body(path.toString(), tensor, out);
                    source.write(tensor, body);
                    body.finish();
                }
                out.flush();
                channel.force(true); // the name must not reach the disk before the bytes
            }
            Files.move(beside, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(beside);
        }
    }

    /** Takes one tensor's bytes and counts them. */
    private static final class Body implements Sink {
        private final String origin;
        private final TensorInfo tensor;
        private final OutputStream out;
        private final byte[] buffer = new byte[1 << 16];
        private long written;
        private boolean finished;

        Body(String origin, TensorInfo tensor, OutputStream out) {
            this.origin = origin;
            this.tensor = tensor;
            this.out = out;
        }

        @Override
        public void put(MemorySegment bytes) throws IOException {
            if (finished) throw new IllegalStateException("tensor " + quote(tensor.name()) + " is written already");
            if (bytes.byteSize() > tensor.bytes() - written) throw wrongSize(written + bytes.byteSize() + " or more");
            for (long from = 0; from < bytes.byteSize(); from += buffer.length) {
                int n = (int) Math.min(buffer.length, bytes.byteSize() - from);
                MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, from, buffer, 0, n);
                out.write(buffer, 0, n);
            }
            written += bytes.byteSize();
        }

        void finish() throws SafeTensorsException {
            finished = true;
            if (written != tensor.bytes()) throw wrongSize(String.valueOf(written));
        }

        private SafeTensorsException wrongSize(String got) {
            return new SafeTensorsException(
                    origin, "tensor " + quote(tensor.name()) + " has " + tensor.bytes() + " bytes, got " + got);
        }
    }

    /** JSON, padded with spaces so that the data begins at a multiple of eight. */
    private byte[] header(String origin) throws SafeTensorsException {
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
        byte[] padded = Arrays.copyOf(text, (text.length + 7) / 8 * 8);
        Arrays.fill(padded, text.length, padded.length, (byte) ' ');
        if (padded.length > Header.MAX_LENGTH)
            throw new SafeTensorsException(origin, "the header is over the limit of " + Header.MAX_LENGTH + " bytes");
        return padded;
    }
}
