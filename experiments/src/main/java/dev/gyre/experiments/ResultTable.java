package dev.gyre.experiments;

import dev.gyre.arrow.FixedShapeTensorType;
import dev.gyre.arrow.FixedShapeTensorVector;
import dev.gyre.core.DType;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.settings.Setting;
import dev.gyre.diffusion.settings.Settings;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VarBinaryVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.FixedSizeListVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.StructVector;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;

/** Results as rows of an Arrow table. */
public final class ResultTable {
    static final String ROW = "row",
            WIDTH = "width",
            HEIGHT = "height",
            MODEL_HASH = "model_hash",
            PNG = "png",
            ERROR = "error";
    static final List<String> SECONDS = List.of("text_seconds", "denoise_seconds", "decode_seconds");
    private static final String LATENTS = "latents", STEP_LATENTS = "step_latents", PARAMETERS = "parameters";
    static final List<String> LIKENESS = List.of("psnr", "ssim", "latent_distance");

    private static final ArrowType TEXT = new ArrowType.Utf8(),
            WHOLE = new ArrowType.Int(32, true),
            LONG = new ArrowType.Int(64, true),
            NUMBER = new ArrowType.FloatingPoint(FloatingPointPrecision.DOUBLE),
            TRUTH = new ArrowType.Bool(),
            FLOAT = new ArrowType.FloatingPoint(FloatingPointPrecision.SINGLE);

    private ResultTable() {}

    /**
     * The table's columns.
     *
     * @param sd the model: if all its latents have one shape, the column has it; else each row has its own
     * @param stepLatents whether the latents of every step are kept, too
     * @param metadata of the schema
     */
    public static Schema schema(Plan plan, StableDiffusion sd, boolean stepLatents, Map<String, String> metadata) {
        List<Field> fields = new ArrayList<>(List.of(Field.notNullable(ROW, LONG)));
        Request complete = sd.complete(Request.of(""));
        for (Setting setting : Settings.ALL)
            if (setting.isSwept()) {
                boolean always = setting.value(complete).isPresent() && setting != Settings.ETA;
                fields.add(new Field(setting.column(), new FieldType(!always, type(setting.type()), null), List.of()));
            }
        fields.add(Field.notNullable(WIDTH, WHOLE));
        fields.add(Field.notNullable(HEIGHT, WHOLE));
        for (String label : plan.labels()) fields.add(Field.nullable(label, TEXT));
        fields.add(Field.notNullable(MODEL_HASH, TEXT));
        for (String phase : SECONDS) fields.add(Field.nullable(phase, NUMBER));
        fields.add(shape(plan, sd)
                .map(shape -> FixedShapeTensorType.of(shape, "channel", "height", "width")
                        .field(LATENTS, DType.F32))
                .orElseGet(() -> variable(LATENTS, 3)));
        if (stepLatents) fields.add(variable(STEP_LATENTS, 4));
        fields.add(Field.nullable(PNG, new ArrowType.Binary()));
        fields.add(Field.nullable(PARAMETERS, TEXT));
        if (plan.hasReferences()) {
            fields.add(Field.nullable(Plan.REFERENCE, TEXT));
            for (String measure : LIKENESS) fields.add(Field.nullable(measure, NUMBER));
        }
        fields.add(Field.nullable(ERROR, TEXT));
        return new Schema(fields, metadata);
    }

    private static ArrowType type(Setting.Type type) {
        return switch (type) {
            case TEXT -> TEXT;
            case INTEGER -> WHOLE;
            case LONG -> LONG;
            case NUMBER -> NUMBER;
            case FLAG -> TRUTH;
        };
    }

    /** The shape of all latents, if they have one. */
    private static Optional<Shape> shape(Plan plan, StableDiffusion sd) {
        Request blank = Request.of("");
        Set<Shape> shapes = plan.sizes().stream()
                .map(size -> sd.latentShape(
                        size.orElseGet(() -> sd.complete(blank).size().orElseThrow())))
                .collect(Collectors.toSet());
        return shapes.size() == 1 ? Optional.of(shapes.iterator().next()) : Optional.empty();
    }

    /** Tensors of several shapes, as Arrow's canonical {@code arrow.variable_shape_tensor} stores them. */
    private static Field variable(String name, int rank) {
        Field number = Field.nullable("item", FLOAT), dim = Field.nullable("item", WHOLE);
        Field data = new Field("data", FieldType.nullable(new ArrowType.List()), List.of(number));
        Field shape = new Field("shape", FieldType.nullable(new ArrowType.FixedSizeList(rank)), List.of(dim));
        Map<String, String> extension = Map.of(
                ArrowType.ExtensionType.EXTENSION_METADATA_KEY_NAME, "arrow.variable_shape_tensor",
                ArrowType.ExtensionType.EXTENSION_METADATA_KEY_METADATA, "{}");
        return new Field(name, new FieldType(true, new ArrowType.Struct(), null, extension), List.of(data, shape));
    }

    /** Whether a table of results has such a column, or may have. */
    static boolean isColumn(String name) {
        return List.of(ROW, WIDTH, HEIGHT, MODEL_HASH, LATENTS, STEP_LATENTS, PNG, PARAMETERS, Plan.REFERENCE, ERROR)
                        .contains(name)
                || SECONDS.contains(name)
                || LIKENESS.contains(name);
    }

    /** Replaces a table's rows with one. */
    public static void fill(VectorSchemaRoot table, Result result, String modelHash) {
        table.clear();
        Request request = result.request();
        Request.Size size = request.size().orElseThrow();
        put(table, ROW, result.job().row());
        for (Setting setting : Settings.ALL)
            if (setting.isSwept()) setting.value(request).ifPresent(value -> put(table, setting.column(), value));
        put(table, WIDTH, size.width());
        put(table, HEIGHT, size.height());
        result.job().labels().forEach((label, value) -> put(table, label, value));
        put(table, MODEL_HASH, modelHash);
        for (String phase : SECONDS) {
            Duration time = result.times().get(phase.substring(0, phase.indexOf('_')));
            if (time != null) put(table, phase, time.toNanos() / 1e9);
        }
        result.latents().ifPresent(latents -> put(table, LATENTS, latents));
        if (table.getVector(STEP_LATENTS) != null && !result.steps().isEmpty())
            put(table, STEP_LATENTS, stacked(result.steps()));
        result.png().ifPresent(png -> put(table, PNG, png));
        result.parameters().ifPresent(text -> put(table, PARAMETERS, text));
        result.job().reference().ifPresent(reference -> put(table, Plan.REFERENCE, reference.name()));
        result.likeness().ifPresent(likeness -> {
            put(table, "psnr", likeness.psnr());
            put(table, "ssim", likeness.ssim());
            put(table, "latent_distance", likeness.latentDistance());
        });
        result.error().ifPresent(error -> put(table, ERROR, error));
        table.setRowCount(1);
    }

    /** [steps, 4, height, width]. */
    private static Tensor stacked(List<Tensor> steps) {
        int size = steps.getFirst().shape().elements();
        float[] all = new float[steps.size() * size];
        for (int i = 0; i < steps.size(); i++) System.arraycopy(steps.get(i).floats(), 0, all, i * size, size);
        List<Integer> dims = new ArrayList<>(List.of(steps.size()));
        dims.addAll(steps.getFirst().shape().dims());
        return Tensor.of(all, dims.stream().mapToInt(i -> i).toArray());
    }

    private static void put(VectorSchemaRoot table, String name, Object value) {
        FieldVector column = table.getVector(name);
        switch (column) {
            case VarCharVector text -> text.setSafe(0, value.toString().getBytes(StandardCharsets.UTF_8));
            case IntVector whole -> whole.setSafe(0, (int) value);
            case BigIntVector whole -> whole.setSafe(0, (long) value);
            case Float8Vector number -> number.setSafe(0, (double) value);
            case BitVector truth -> truth.setSafe(0, (boolean) value ? 1 : 0);
            case VarBinaryVector bytes -> bytes.setSafe(0, (byte[]) value);
            case FixedShapeTensorVector tensors -> {
                tensors.allocate(1);
                tensors.set(0, (Tensor) value);
            }
            case StructVector tensors -> put(tensors, (Tensor) value);
            default ->
                throw new IllegalStateException(
                        "column " + name + " is of type " + column.getField().getType());
        }
    }

    private static void put(StructVector column, Tensor tensor) {
        ListVector data = column.getChild("data", ListVector.class);
        data.startNewValue(0);
        Float4Vector numbers = (Float4Vector) data.getDataVector();
        float[] values = tensor.floats();
        numbers.allocateNew(values.length);
        for (int i = 0; i < values.length; i++) numbers.set(i, values[i]);
        data.endValue(0, values.length);
        FixedSizeListVector shape = column.getChild("shape", FixedSizeListVector.class);
        shape.setNotNull(0);
        for (int i = 0; i < tensor.shape().rank(); i++)
            ((IntVector) shape.getDataVector()).setSafe(i, tensor.shape().dim(i));
        column.setIndexDefined(0);
    }
}
