package dev.gyre.arrow;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowFileReader;
import org.apache.arrow.vector.ipc.ArrowFileWriter;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.ipc.ArrowStreamReader;

/**
 * Arrow's IPC files, read and written a record batch at a time; tensor columns are known. Streams are read, too; to write one, Arrow's
 * own {@code ArrowStreamWriter} does.
 */
public final class ArrowFiles {
    private static final byte[] MAGIC = "ARROW1".getBytes(StandardCharsets.US_ASCII);

    private ArrowFiles() {}

    /** Gives a table's next rows. */
    @FunctionalInterface
    public interface Batches {
        /**
         * Fills the table anew.
         *
         * @return whether there were any rows left
         */
        boolean next() throws IOException;
    }

    /**
     * Opens a file of either format.
     *
     * @throws IOException when it cannot be read or is no Arrow file
     */
    public static ArrowReader open(Path path, BufferAllocator allocator) throws IOException {
        if (Files.notExists(path)) throw new NoSuchFileException(path.toString(), null, "there is no such file");
        if (Files.isDirectory(path)) throw new IOException(path + ": an Arrow file is expected, this is a folder");
        FixedShapeTensorType.register();
        FileChannel channel = FileChannel.open(path);
        try {
            ByteBuffer first = ByteBuffer.allocate(MAGIC.length);
            while (first.hasRemaining() && channel.read(first) >= 0) {}
            channel.position(0);
            ArrowReader reader = ByteBuffer.wrap(MAGIC).equals(first.flip())
                    ? new ArrowFileReader(channel, allocator)
                    : new ArrowStreamReader(channel, allocator);
            try {
                reader.getVectorSchemaRoot();
                return reader;
            } catch (IOException | RuntimeException | Error e) {
                reader.close();
                throw e;
            }
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw new IOException(path + ": no Arrow file or stream, or a damaged one: " + e.getMessage(), e);
        }
    }

    /**
     * Writes a file beside its place and moves it in when it is whole.
     *
     * @param table its schema, with its metadata, is the file's
     * @throws IOException when it cannot be written; then what was there before is still there
     */
    public static void write(Path path, VectorSchemaRoot table, Batches batches) throws IOException {
        Path folder = path.toAbsolutePath().getParent();
        if (!Files.isDirectory(folder)) throw new IOException(path + ": there is no folder " + folder);
        Path beside = folder.resolve("." + path.getFileName() + "." + UUID.randomUUID() + ".part");
        try {
            try (FileChannel channel =
                            FileChannel.open(beside, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
                    ArrowFileWriter writer = new ArrowFileWriter(table, null, channel)) {
                writer.start();
                while (batches.next()) writer.writeBatch();
                writer.end();
                channel.force(true); // the name must not reach the disk before the bytes
            }
            Files.move(beside, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(beside);
        }
    }

    /** Writes a file of the table as it is. */
    public static void write(Path path, VectorSchemaRoot table) throws IOException {
        boolean[] written = {false};
        write(path, table, () -> !written[0] && (written[0] = true));
    }
}
