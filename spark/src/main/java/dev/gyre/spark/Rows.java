package dev.gyre.spark;

import dev.gyre.arrow.FixedShapeTensorType;
import dev.gyre.arrow.FixedShapeTensorVector;
import dev.gyre.experiments.Manifest;
import dev.gyre.experiments.Prompts;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.ValueVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.FixedSizeListVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.StructVector;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.arrow.vector.util.Text;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.MetadataBuilder;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** Spark's rows and types for prompts and for Arrow's tables of results. */
final class Rows {
    /** What a table of prompts is called that came from no file. */
    static final String NAME = "Spark";

    private static final String ROW = "row", MANIFEST = "gyre.manifest";

    private Rows() {}

    // --- prompts

    /** A table's rows as those of a file: what is null is left out, bytes stay bytes, the rest becomes text. */
    static Prompts prompts(Dataset<Row> table) {
        String[] names = table.columns();
        List<Map<String, Object>> rows = new ArrayList<>();
        for (Row row : table.collectAsList()) {
            Map<String, Object> values = new LinkedHashMap<>();
            for (int c = 0; c < names.length; c++)
                if (!row.isNullAt(c))
                    values.put(
                            names[c],
                            row.get(c) instanceof byte[] bytes
                                    ? bytes
                                    : row.get(c).toString());
            rows.add(values);
        }
        if (rows.isEmpty()) throw new IllegalArgumentException("prompts: there are none in the table");
        return new Prompts(NAME, Path.of("").toAbsolutePath(), rows);
    }

    // --- results

    /** Columns of the same names. Tensors become arrays of their elements in row-major order; where all have one shape, the metadata has it. */
    static StructType type(Schema schema) {
        String[] lines = schema.getCustomMetadata().entrySet().stream()
                .map(entry -> entry.getKey() + "=" + entry.getValue())
                .toArray(String[]::new);
        Metadata manifest =
                new MetadataBuilder().putStringArray(MANIFEST, lines).build();
        return DataTypes.createStructType(schema.getFields().stream()
                .map(field -> field(field, field.getName().equals(ROW) ? manifest : metadata(field)))
                .toArray(StructField[]::new));
    }

    /** @throws IllegalArgumentException when there is none */
    static Manifest manifest(StructType type) {
        Metadata metadata = type.apply(ROW).metadata();
        if (!metadata.contains(MANIFEST))
            throw new IllegalArgumentException(
                    "column row: a manifest in its metadata is expected, there is " + metadata);
        Map<String, String> entries = new LinkedHashMap<>();
        for (String line : metadata.getStringArray(MANIFEST)) {
            String[] parts = line.split("=", 2);
            entries.put(parts[0], parts[1]);
        }
        return new Manifest(entries);
    }

    private static StructField field(Field field, Metadata metadata) {
        return DataTypes.createStructField(field.getName(), type(field), field.isNullable(), metadata);
    }

    private static Metadata metadata(Field field) {
        if (!(field.getType() instanceof FixedShapeTensorType tensors)) return Metadata.empty();
        long[] dims = tensors.shape().dims().stream().mapToLong(i -> i).toArray();
        return new MetadataBuilder().putLongArray("shape", dims).build();
    }

    private static DataType type(Field field) {
        return switch (field.getType()) {
            case ArrowType.Utf8 text -> DataTypes.StringType;
            case ArrowType.Bool truth -> DataTypes.BooleanType;
            case ArrowType.Binary bytes -> DataTypes.BinaryType;
            case ArrowType.Int whole -> whole.getBitWidth() == 64 ? DataTypes.LongType : DataTypes.IntegerType;
            case ArrowType.FloatingPoint number ->
                switch (number.getPrecision()) {
                    case DOUBLE -> DataTypes.DoubleType;
                    case SINGLE -> DataTypes.FloatType;
                    case HALF -> throw unknown(field);
                };
            case FixedShapeTensorType tensors -> DataTypes.createArrayType(DataTypes.FloatType, false);
            case ArrowType.List list ->
                DataTypes.createArrayType(type(field.getChildren().getFirst()), false);
            case ArrowType.FixedSizeList list ->
                DataTypes.createArrayType(type(field.getChildren().getFirst()), false);
            case ArrowType.Struct struct ->
                DataTypes.createStructType(field.getChildren().stream()
                        .map(child -> field(child, Metadata.empty()))
                        .toArray(StructField[]::new));
            default -> throw unknown(field);
        };
    }

    private static IllegalStateException unknown(Field field) {
        return new IllegalStateException("column " + field.getName() + " is of type " + field.getType());
    }

    /** The only row of a table. */
    static Row row(VectorSchemaRoot table) {
        return RowFactory.create(
                table.getFieldVectors().stream().map(column -> value(column, 0)).toArray());
    }

    private static Object value(ValueVector column, int i) {
        if (column.isNull(i)) return null;
        return switch (column) {
            case FixedShapeTensorVector tensors -> tensors.get(i).floats();
            case ListVector list ->
                values(list.getDataVector(), list.getElementStartIndex(i), list.getElementEndIndex(i));
            case FixedSizeListVector list ->
                values(list.getDataVector(), i * list.getListSize(), (i + 1) * list.getListSize());
            case StructVector struct ->
                RowFactory.create(struct.getChildrenFromFields().stream()
                        .map(child -> value(child, i))
                        .toArray());
            default -> column.getObject(i) instanceof Text text ? text.toString() : column.getObject(i);
        };
    }

    private static Object[] values(FieldVector column, int from, int to) {
        Object[] values = new Object[to - from];
        for (int i = from; i < to; i++) values[i - from] = value(column, i);
        return values;
    }
}
