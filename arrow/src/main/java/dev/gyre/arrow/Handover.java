package dev.gyre.arrow;

import org.apache.arrow.c.ArrowArray;
import org.apache.arrow.c.ArrowSchema;
import org.apache.arrow.c.Data;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;

/**
 * Record batches to and from another library in the same process by Arrow's C data interface: two small structs are filled, the data
 * stays where it is. Addresses are those of an {@code ArrowArray} and an {@code ArrowSchema}, as pyarrow's {@code _export_to_c} and
 * {@code _import_from_c} and DuckDB have them. Arrow's native library for it comes in its jar, for Linux, macOS and Windows.
 */
public final class Handover {
    private Handover() {}

    /**
     * Gives a table away. Its memory lives until whoever takes it releases it, also when the table is closed before.
     *
     * @param array of an empty struct ArrowArray
     * @param schema of an empty struct ArrowSchema
     */
    public static void give(VectorSchemaRoot table, BufferAllocator allocator, long array, long schema) {
        Data.exportVectorSchemaRoot(allocator, table, null, ArrowArray.wrap(array), ArrowSchema.wrap(schema));
    }

    /** Takes what was given; closing the table releases it. */
    public static VectorSchemaRoot take(BufferAllocator allocator, long array, long schema) {
        FixedShapeTensorType.register();
        return Data.importVectorSchemaRoot(allocator, ArrowArray.wrap(array), ArrowSchema.wrap(schema), null);
    }
}
