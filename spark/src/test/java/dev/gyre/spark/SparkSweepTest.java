package dev.gyre.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.arrow.ArrowFiles;
import dev.gyre.arrow.FixedShapeTensorVector;
import dev.gyre.core.Precision;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.experiments.Grid;
import dev.gyre.experiments.Manifest;
import dev.gyre.experiments.Plan;
import dev.gyre.experiments.Sweep;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pictures drawn by executors of a cluster beside those of a sweep in one process. */
class SparkSweepTest {
    private static final String[] COLORS = {"red", "green", "blue", "yellow", "cyan"};
    private static final String[] SHAPES = {"circle", "square", "star", "heart", "ring", "moon"};

    @TempDir
    Path folder;

    @Test
    void sameRowsAsASweepThoughAnExecutorDies() throws IOException {
        try (Cluster cluster = new Cluster(2, "-XX:TieredStopAtLevel=1")) {
            Dataset<Row> prompts = prompts(cluster.spark, 0, 12);
            Grid grid = Grid.parse("steps=1,2 size=64x64");
            Dataset<Row> pictures = SparkSweep.embedded().generate(prompts, grid);
            cluster.killAfter(3);
            String parquet = folder.resolve("pictures.parquet").toString();
            pictures.write().parquet(parquet);
            assertTrue(cluster.lost() > 0, "no executor was lost");

            Dataset<Row> written = cluster.spark.read().parquet(parquet).orderBy("row");
            Manifest manifest = SparkSweep.manifest(written);
            assertEquals(cluster.spark.version(), manifest.get("spark"));
            Path out = sweep(new Plan(Rows.prompts(prompts), grid), 1);
            assertEquals(
                    2,
                    assertSameRows(out, written.collectAsList(), manifest),
                    "the one prompt whose reference is not there");
        }
    }

    /** In turns of 200, so that what else the machine does meets both. */
    @Test
    @Tag("long")
    void aThousandPrompts() throws IOException {
        Grid grid = Grid.parse("steps=2");
        double spark = 0, sweep = 0;
        try (Cluster cluster = new Cluster(2, "")) {
            for (int i = -1; i < 5; i++) { // the first is for compilers
                int from = 200 * Math.max(i, 0), to = from + (i < 0 ? 32 : 200);
                Dataset<Row> prompts = prompts(cluster.spark, from, to);
                Dataset<Row> pictures = SparkSweep.embedded().generate(prompts, grid);
                long start = System.nanoTime();
                List<Row> rows = pictures.collectAsList();
                long between = System.nanoTime();
                Path out = sweep(new Plan(Rows.prompts(prompts), grid), 2);
                long end = System.nanoTime();
                assertSameRows(out, rows, SparkSweep.manifest(pictures));
                Files.delete(out);
                if (i < 0) continue;
                spark += (between - start) / 1e9;
                sweep += (end - between) / 1e9;
                System.out.printf(
                        "%d pictures: two executors of one thread %.1f s, one process of two threads %.1f s%n",
                        to, spark, sweep);
            }
        }
    }

    @Test
    void aModelThatIsNotTheDriversIsRefused() {
        IOException e = assertThrows(
                IOException.class, () -> SharedModel.acquire(new Model("", false, Precision.F32, "00"), 1));
        assertTrue(e.getMessage().contains("on the driver 00"), e.getMessage());
    }

    /** One of them is compared with a picture that is not there: that is a row, too. */
    private static Dataset<Row> prompts(SparkSession spark, int from, int to) {
        List<Row> rows = new ArrayList<>();
        for (int i = from; i < to; i++) {
            String color = COLORS[i % COLORS.length], shape = SHAPES[i / COLORS.length % SHAPES.length];
            rows.add(RowFactory.create("a " + color + " " + shape, color, (long) i, i == 2 ? "nowhere.png" : null));
        }
        return spark.createDataFrame(
                rows,
                new StructType()
                        .add("prompt", DataTypes.StringType)
                        .add("color", DataTypes.StringType)
                        .add("seed", DataTypes.LongType)
                        .add("reference", DataTypes.StringType));
    }

    private Path sweep(Plan plan, int threads) throws IOException {
        Path out = folder.resolve("sweep-" + plan.size() + ".arrow");
        try (StableDiffusion sd = StableDiffusion.load(Checkpoint.embedded(), new JvmBackend(threads))) {
            new Sweep(plan, sd, out, false).run(new Sweep.Listener() {});
        }
        return out;
    }

    /** How many of them have errors. */
    private static int assertSameRows(Path out, List<Row> rows, Manifest manifest) throws IOException {
        int i = 0, errors = 0;
        try (BufferAllocator allocator = new RootAllocator();
                ArrowReader reader = ArrowFiles.open(out, allocator)) {
            List<FieldVector> columns = reader.getVectorSchemaRoot().getFieldVectors();
            Manifest there =
                    new Manifest(reader.getVectorSchemaRoot().getSchema().getCustomMetadata());
            for (String key : List.of("plan_sha256", "model_sha256", "version", "precision", "rows"))
                assertEquals(there.get(key), manifest.get(key), key);
            assertEquals(
                    columns.stream().map(FieldVector::getName).toList(),
                    List.of(rows.getFirst().schema().fieldNames()));
            while (reader.loadNextBatch())
                for (int j = 0; j < reader.getVectorSchemaRoot().getRowCount(); j++, i++) {
                    for (FieldVector column : columns) assertSame(column, j, rows.get(i));
                    if (rows.get(i).getAs("error") != null) errors++;
                }
        }
        assertEquals(i, rows.size());
        return errors;
    }

    private static void assertSame(FieldVector column, int j, Row row) {
        String name = column.getName();
        if (name.endsWith("_seconds")) return;
        String where = name + " of row " + row.getAs("row");
        Object value = row.getAs(name);
        if (column.isNull(j)) assertEquals(null, value, where);
        else if (column instanceof FixedShapeTensorVector tensors) {
            List<Float> floats = row.getList(row.fieldIndex(name));
            float[] expected = tensors.get(j).floats();
            assertEquals(expected.length, floats.size(), where);
            for (int k = 0; k < expected.length; k++) assertEquals(expected[k], floats.get(k), where);
        } else if (value instanceof byte[] bytes) assertArrayEquals((byte[]) column.getObject(j), bytes, where);
        else assertEquals(String.valueOf(column.getObject(j)), value.toString(), where);
    }
}
