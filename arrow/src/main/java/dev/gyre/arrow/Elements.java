package dev.gyre.arrow;

import dev.gyre.core.DType;
import java.util.Map;
import java.util.Optional;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;

/**
 * What Arrow calls element types. It has no bfloat16: BF16 is stored as {@code uint16}, the bits as they are, in a column whose metadata
 * says {@code gyre.dtype: BF16}. That keeps tensor columns of a primitive type, which is what numpy takes without a copy;
 * {@code (bits.astype(uint32) << 16).view(float32)} are the numbers.
 */
final class Elements {
    /** The key in a column's metadata that tells types apart that Arrow does not. */
    static final String DTYPE = "gyre.dtype";

    private Elements() {}

    /** @throws IllegalArgumentException for Q8_0, whose blocks are no elements */
    static ArrowType type(DType dtype) {
        return switch (dtype) {
            case F32 -> new ArrowType.FloatingPoint(FloatingPointPrecision.SINGLE);
            case F16 -> new ArrowType.FloatingPoint(FloatingPointPrecision.HALF);
            case BF16 -> new ArrowType.Int(16, false);
            case I32 -> new ArrowType.Int(32, true);
            case I64 -> new ArrowType.Int(64, true);
            case U8 -> new ArrowType.Int(8, false);
            case Q8_0 ->
                throw new IllegalArgumentException(
                        "Arrow has no column of blocks: F32, F16, BF16, I32, I64 and U8 are expected, got Q8_0");
        };
    }

    static Map<String, String> metadata(DType dtype) {
        return dtype == DType.BF16 ? Map.of(DTYPE, dtype.name()) : Map.of();
    }

    /** The element type of a tensor column; empty where Gyre has none for it. */
    static Optional<DType> dtype(Field column) {
        ArrowType elements = column.getChildren().getFirst().getType();
        if (elements.equals(type(DType.BF16)))
            return DType.BF16.name().equals(column.getMetadata().get(DTYPE))
                    ? Optional.of(DType.BF16)
                    : Optional.empty();
        for (DType dtype : new DType[] {DType.F32, DType.F16, DType.I32, DType.I64, DType.U8})
            if (elements.equals(type(dtype))) return Optional.of(dtype);
        return Optional.empty();
    }
}
