package dev.gyre.spark;

import dev.gyre.core.Precision;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.experiments.Grid;
import dev.gyre.experiments.Manifest;
import dev.gyre.experiments.Plan;
import dev.gyre.experiments.Prompts;
import dev.gyre.experiments.ResultTable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;

/**
 * A sweep on Spark: a table of prompts becomes a table of pictures, with the rows and columns of {@code gyre sweep}. Every executor
 * loads the model once, and its tasks take turns at it, each with as many threads as it has processors ({@code spark.task.cpus}). A
 * task that is lost with its executor is done again elsewhere and gives the same rows.
 *
 * @param model the checkpoint's path, the same on every machine; empty for the embedded model
 * @param ema whether the averaged weights are taken, where a checkpoint has both
 * @param precision what products multiply
 * @param stepLatents whether to keep the latents of every step, too
 */
public record SparkSweep(Optional<Path> model, boolean ema, Precision precision, boolean stepLatents) {
    /** Tasks for each core of the cluster: few enough that starting them costs little, and a lost one little more. */
    private static final int TASKS_PER_CORE = 8;

    /** The pictures of a checkpoint, computed in 32-bit floats. */
    public static SparkSweep of(Path model) {
        return new SparkSweep(Optional.of(model), false, Precision.F32, false);
    }

    /** The pictures of the embedded model. */
    public static SparkSweep embedded() {
        return new SparkSweep(Optional.empty(), false, Precision.F32, false);
    }

    /**
     * A row for each prompt with each combination of the grid, in order. Nothing is drawn before rows are asked for, and who asks twice
     * has them drawn twice: write or cache them. How they come about is in the metadata of the column {@code row}: see {@link #manifest}.
     *
     * @param prompts with a column {@code prompt}, and others as {@code gyre sweep} knows them; all rows are brought to the driver
     * @throws IOException when the driver cannot read the model
     * @throws IllegalArgumentException when a column or a value makes no sense, naming it
     */
    public Dataset<Row> generate(Dataset<Row> prompts, Grid grid) throws IOException {
        SparkSession spark = prompts.sparkSession();
        Prompts rows = Rows.prompts(prompts);
        Plan plan = new Plan(rows, grid);
        Map<String, String> manifest = new LinkedHashMap<>();
        StructType type;
        try (StableDiffusion sd = Model.load(model, ema, precision, 1)) {
            manifest.putAll(Manifest.of(plan, sd, stepLatents).entries());
            manifest.put("gyre.spark", spark.version());
            type = Rows.type(ResultTable.schema(plan, sd, stepLatents, manifest));
        }
        Model same = new Model(
                model.map(path -> path.toAbsolutePath().toString()).orElse(""),
                ema,
                precision,
                manifest.get("gyre.model_sha256"));
        Work work = new Work(same, rows.rows(), rows.folder().toString(), grid.toString(), stepLatents);
        JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
        int tasks = (int) Math.min(plan.size(), (long) TASKS_PER_CORE * context.defaultParallelism());
        JavaRDD<Row> pictures =
                spark.range(0, plan.size(), 1, tasks).javaRDD().mapPartitions(new DrawRows(context.broadcast(work)));
        return spark.createDataFrame(pictures, type); // which keeps the columns' metadata, as a typed Dataset does not
    }

    /**
     * How pictures came about.
     *
     * @param pictures what {@link #generate} made, or what was read from a Parquet file of it
     * @throws IllegalArgumentException when the table does not say
     */
    public static Manifest manifest(Dataset<Row> pictures) {
        return Rows.manifest(pictures.schema());
    }
}
