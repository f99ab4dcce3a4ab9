package dev.gyre.experiments;

import dev.gyre.arrow.ArrowFiles;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.output.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.arrow.vector.util.VectorSchemaRootAppender;

/**
 * Runs a plan and writes an Arrow file with a row for each picture. Rows are appended to a stream beside it as they are done
 * ({@link RowLog}); an interrupted sweep resumes after the last complete row. When all rows are done the stream becomes the file.
 */
public final class Sweep {
    /** The most rows of a record batch. */
    private static final int BATCH_ROWS = 256;

    private static final long BATCH_BYTES = 16 << 20;

    private final Plan plan;
    private final StableDiffusion sd;
    private final Path out;
    private final boolean stepLatents;
    private final Manifest manifest;

    /** Progress of a sweep. */
    public interface Listener extends Progress {
        /** Called once with the number of rows that were done before. */
        default void found(long rows) {}

        /** Called when a row is written. */
        default void row(Result result, long rows) {}
    }

    /**
     * @param sd the model; stays open
     * @param out the Arrow file; the stream is beside it, with {@code .part} behind its name
     * @param stepLatents whether to keep the latents of every step, too
     * @throws IOException when the model's file cannot be read again, for its hash
     */
    public Sweep(Plan plan, StableDiffusion sd, Path out, boolean stepLatents) throws IOException {
        this.plan = plan;
        this.sd = sd;
        this.out = out;
        this.stepLatents = stepLatents;
        manifest = Manifest.of(plan, sd, stepLatents);
    }

    /**
     * Runs the jobs that are not done yet.
     *
     * @throws IOException when the file cannot be written, or belongs to another sweep
     * @throws java.util.concurrent.CancellationException when the listener cancels; another run resumes from there
     */
    public void run(Listener listener) throws IOException {
        Path folder = out.toAbsolutePath().getParent();
        if (!Files.isDirectory(folder)) throw new IOException(out + ": there is no folder " + folder);
        Path part = out.resolveSibling(out.getFileName() + ".part");
        try (BufferAllocator allocator = new RootAllocator()) {
            if (Files.exists(out)) {
                manifest.check(manifest(out, allocator), out.toString());
                Files.deleteIfExists(part); // killed between the move and this
                listener.found(plan.size());
                return;
            }
            Schema schema = ResultTable.schema(plan, sd, stepLatents, manifest.entries());
            try (RowLog log = RowLog.open(part, schema)) {
                manifest.check(new Manifest(log.schema().getCustomMetadata()), part.toString());
                listener.found(log.rows());
                draw(log, listener, allocator);
                finish(part, allocator);
            }
            Files.delete(part);
        }
    }

    private static Manifest manifest(Path file, BufferAllocator allocator) throws IOException {
        try (ArrowReader reader = ArrowFiles.open(file, allocator)) {
            return new Manifest(reader.getVectorSchemaRoot().getSchema().getCustomMetadata());
        }
    }

    private void draw(RowLog log, Listener listener, BufferAllocator allocator) throws IOException {
        JobRunner runner = new JobRunner(sd, stepLatents, listener);
        try (VectorSchemaRoot row = VectorSchemaRoot.create(log.schema(), allocator)) {
            while (log.rows() < plan.size()) {
                Result result = runner.run(plan.job(log.rows()));
                ResultTable.fill(row, result, manifest.get("model_sha256"));
                log.append(row);
                listener.row(result, log.rows());
            }
        }
    }

    /** Empty, but with memory allocated, which appending does not do by itself. */
    private static void clear(VectorSchemaRoot table) {
        table.clear();
        for (FieldVector column : table.getFieldVectors()) {
            column.setInitialCapacity(1);
            column.allocateNew();
        }
    }

    /** Several rows a record batch: readers are faster. */
    private void finish(Path part, BufferAllocator allocator) throws IOException {
        try (ArrowReader rows = ArrowFiles.open(part, allocator)) {
            VectorSchemaRoot row = rows.getVectorSchemaRoot();
            try (VectorSchemaRoot table = VectorSchemaRoot.create(row.getSchema(), allocator)) {
                ArrowFiles.write(out, table, () -> {
                    clear(table);
                    long bytes = 0;
                    while (table.getRowCount() < BATCH_ROWS && bytes < BATCH_BYTES && rows.loadNextBatch()) {
                        VectorSchemaRootAppender.append(table, row);
                        bytes += row.getFieldVectors().stream()
                                .mapToLong(FieldVector::getBufferSize)
                                .sum();
                    }
                    return table.getRowCount() > 0;
                });
            }
        }
    }
}
