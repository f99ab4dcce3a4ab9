package dev.gyre.experiments;

import dev.gyre.arrow.FixedShapeTensorType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.apache.arrow.flatbuf.Message;
import org.apache.arrow.flatbuf.MessageHeader;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.ipc.ReadChannel;
import org.apache.arrow.vector.ipc.WriteChannel;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.ipc.message.MessageSerializer;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * An Arrow stream that rows are added to as they come, each a record batch of its own. Whoever was killed while writing leaves a tail
 * that is no whole message; opening the file cuts it off. Only one process at a time has it open.
 *
 * <p>A process that is killed loses nothing of what it wrote; where the machine itself fails, at most the last seconds' rows.
 */
final class RowLog implements AutoCloseable {
    private static final long FORCE_NANOS = 5_000_000_000L;

    private final FileChannel channel;
    private final Schema schema;
    private long rows;
    private long forced = System.nanoTime();

    private RowLog(FileChannel channel, Schema schema, long rows) {
        this.channel = channel;
        this.schema = schema;
        this.rows = rows;
    }

    /**
     * Opens a log, or begins it.
     *
     * @param schema of a log that is begun
     * @throws IOException when another process has it open
     */
    static RowLog open(Path path, Schema schema) throws IOException {
        FileChannel channel =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            lock(path, channel);
            FixedShapeTensorType.register(); // or the schema that is read below had lists for tensors
            Messages found = new Messages(channel);
            if (found.count() == 0) {
                channel.truncate(0);
                write(channel, out -> MessageSerializer.serialize(out, schema));
                return new RowLog(channel, schema, 0);
            }
            channel.position(0);
            Schema there = MessageSerializer.deserializeSchema(new ReadChannel(channel));
            channel.truncate(found.end());
            channel.position(found.end());
            return new RowLog(channel, there, found.count() - 1);
        } catch (IOException | RuntimeException | Error e) {
            channel.close();
            throw e;
        }
    }

    private static void lock(Path path, FileChannel channel) throws IOException {
        try {
            if (channel.tryLock() != null) return;
        } catch (OverlappingFileLockException e) {
            // Open in this very process.
        }
        throw new IOException(path + ": another sweep is writing it");
    }

    /** The whole messages of a stream: where they end, and how many they are. */
    private static final class Messages {
        private static final int CONTINUED = -1, PREFIX = 8;

        private final FileChannel channel;
        private long end;
        private long count;

        Messages(FileChannel channel) throws IOException {
            this.channel = channel;
            for (Optional<Long> next = next(); next.isPresent(); next = next()) {
                end = next.get();
                count++;
            }
        }

        long end() {
            return end;
        }

        long count() {
            return count;
        }

        /** Where the next message ends, if it is whole. */
        private Optional<Long> next() throws IOException {
            long left = channel.size() - end;
            if (left < PREFIX) return Optional.empty();
            ByteBuffer prefix = read(end, PREFIX);
            int continued = prefix.getInt(), length = prefix.getInt();
            if (continued != CONTINUED || length <= 0 || length > left - PREFIX) return Optional.empty();
            long body;
            try {
                Message message = Message.getRootAsMessage(read(end + PREFIX, length));
                if (message.headerType() != (count == 0 ? MessageHeader.Schema : MessageHeader.RecordBatch))
                    return Optional.empty();
                body = message.bodyLength();
            } catch (IndexOutOfBoundsException e) {
                return Optional.empty(); // no message at all
            }
            return body < 0 || body > left - PREFIX - length
                    ? Optional.empty()
                    : Optional.of(end + PREFIX + length + body);
        }

        private ByteBuffer read(long from, int length) throws IOException {
            ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
            while (bytes.hasRemaining()) if (channel.read(bytes, from + bytes.position()) < 0) break;
            return bytes.flip();
        }
    }

    private interface Writing {
        void to(WriteChannel out) throws IOException;
    }

    /** Put together first, so that it reaches the file in one piece or, at worst, as a tail. */
    private static void write(FileChannel channel, Writing what) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        what.to(new WriteChannel(Channels.newChannel(bytes)));
        ByteBuffer message = ByteBuffer.wrap(bytes.toByteArray());
        while (message.hasRemaining()) channel.write(message);
    }

    /** That of the rows that were there, or that it was begun with. */
    Schema schema() {
        return schema;
    }

    /** Whole rows. */
    long rows() {
        return rows;
    }

    /** @param row a table of one row */
    void append(VectorSchemaRoot row) throws IOException {
        try (ArrowRecordBatch batch = new VectorUnloader(row).getRecordBatch()) {
            write(channel, out -> MessageSerializer.serialize(out, batch));
        }
        rows++;
        if (System.nanoTime() - forced < FORCE_NANOS) return;
        channel.force(false);
        forced = System.nanoTime();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
