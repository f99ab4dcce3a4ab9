package dev.gyre.arrow;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gyre.core.DType;
import dev.gyre.core.Shape;
import java.util.ArrayList;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.complex.FixedSizeListVector;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.ExtensionTypeRegistry;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;

/**
 * Arrow's canonical extension type {@code arrow.fixed_shape_tensor}: a column of tensors of one shape, stored as a fixed-size list of
 * their elements in row-major order. The element type is the list's. See "Canonical Extension Types" in Arrow's format specification.
 */
public final class FixedShapeTensorType extends ArrowType.ExtensionType {
    /** What files call it. */
    public static final String NAME = "arrow.fixed_shape_tensor";

    // java.util.List in full: the class inherits ArrowType.List.
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Shape shape;
    private final java.util.List<String> dimNames;
    private final java.util.List<Integer> permutation;

    /**
     * A type of tensors.
     *
     * @param shape as the elements lie
     * @param dimNames a name for each dimension; empty for none
     * @param permutation in which order the dimensions are meant to be seen; empty for that in which they lie
     * @throws IllegalArgumentException when there are not as many names as dimensions, or the permutation is none
     */
    public FixedShapeTensorType(Shape shape, java.util.List<String> dimNames, java.util.List<Integer> permutation) {
        this.shape = shape;
        this.dimNames = java.util.List.copyOf(dimNames);
        this.permutation = java.util.List.copyOf(permutation);
        if (!dimNames.isEmpty() && dimNames.size() != shape.rank())
            throw new IllegalArgumentException(
                    "dim_names: one for each dimension of " + shape + " is expected, got " + dimNames);
        java.util.List<Integer> sorted = permutation.stream().sorted().toList();
        for (int i = 0; i < sorted.size(); i++)
            if (sorted.get(i) != i || sorted.size() != shape.rank())
                throw new IllegalArgumentException(
                        "permutation: the dimensions of " + shape + " in some order are expected, got " + permutation);
    }

    /** Tensors of a shape, their dimensions named. */
    public static FixedShapeTensorType of(Shape shape, String... dimNames) {
        return new FixedShapeTensorType(shape, java.util.List.of(dimNames), java.util.List.of());
    }

    /** Makes Arrow's readers know the type. Whoever makes one, or opens a file with {@link ArrowFiles}, need not call it. */
    public static void register() {
        ExtensionTypeRegistry.register(of(Shape.of()));
    }

    /** A column of this type. */
    public Field field(String name, DType dtype) {
        Field item = new Field("item", FieldType.nullable(Elements.type(dtype)), null);
        return new Field(name, new FieldType(true, this, null, Elements.metadata(dtype)), java.util.List.of(item));
    }

    /** The shape of every tensor, as the elements lie. */
    public Shape shape() {
        return shape;
    }

    /** A name for each dimension, as the elements lie; empty for none. */
    public java.util.List<String> dimNames() {
        return dimNames;
    }

    /** In which order the dimensions are meant to be seen; empty for that in which they lie. */
    public java.util.List<Integer> permutation() {
        return permutation;
    }

    @Override
    public ArrowType storageType() {
        return new ArrowType.FixedSizeList(shape.elements());
    }

    @Override
    public String extensionName() {
        return NAME;
    }

    @Override
    public boolean extensionEquals(ExtensionType other) {
        return other instanceof FixedShapeTensorType tensors
                && tensors.shape.equals(shape)
                && tensors.dimNames.equals(dimNames)
                && tensors.permutation.equals(permutation);
    }

    @Override
    public String serialize() {
        ObjectNode node = JSON.createObjectNode();
        node.set("shape", JSON.valueToTree(shape.dims()));
        if (!dimNames.isEmpty()) node.set("dim_names", JSON.valueToTree(dimNames));
        if (!permutation.isEmpty()) node.set("permutation", JSON.valueToTree(permutation));
        return node.toString();
    }

    /** @throws IllegalArgumentException when the text is no tensor type's, or not one of this storage */
    @Override
    public ArrowType deserialize(ArrowType storageType, String serialized) {
        JsonNode node;
        try {
            node = JSON.readTree(serialized);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(NAME + ": JSON is expected, got " + serialized, e);
        }
        if (!node.path("shape").isArray())
            throw new IllegalArgumentException(NAME + ": a shape is expected, got " + serialized);
        java.util.List<String> names = new ArrayList<>();
        node.path("dim_names").forEach(name -> names.add(name.asText()));
        FixedShapeTensorType type =
                new FixedShapeTensorType(new Shape(ints(node.path("shape"))), names, ints(node.path("permutation")));
        if (!storageType.equals(type.storageType()))
            throw new IllegalArgumentException(
                    NAME + " of shape " + type.shape + " is stored as " + type.storageType() + ", got " + storageType);
        return type;
    }

    private static java.util.List<Integer> ints(JsonNode array) {
        java.util.List<Integer> values = new ArrayList<>();
        array.forEach(value -> values.add(value.intValue()));
        return values;
    }

    @Override
    public boolean isComplex() {
        return false;
    }

    @Override
    public FieldVector getNewVector(String name, FieldType type, BufferAllocator allocator) {
        FieldType storage = new FieldType(type.isNullable(), storageType(), null);
        return new FixedShapeTensorVector(
                name, type, allocator, new FixedSizeListVector(name, allocator, storage, null));
    }
}
