package dev.gyre.diffusion;

import dev.gyre.jsafetensors.DType;
import dev.gyre.jsafetensors.SafeTensors;
import dev.gyre.jsafetensors.SafeTensorsWriter;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiConsumer;

/** The embedded model in other files. */
final class Variants {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Variants() {}

    /** A tensor to write. */
    record Data(DType dtype, long[] shape, MemorySegment bytes) {
        static Data of(float[] values, long... shape) {
            MemorySegment bytes = MemorySegment.ofArray(new byte[4 * values.length]);
            MemorySegment.copy(values, 0, bytes, FLOAT, 0, values.length);
            return new Data(DType.F32, shape, bytes);
        }
    }

    static Path write(Path path, Map<String, Data> tensors, Map<String, String> metadata) throws IOException {
        SafeTensorsWriter writer = new SafeTensorsWriter();
        metadata.forEach(writer::metadata);
        tensors.forEach((key, data) -> writer.tensor(key, data.dtype, data.shape));
        writer.write(path, (tensor, sink) -> sink.put(tensors.get(tensor.name()).bytes));
        return path;
    }

    /** The embedded model with changes. */
    static Path embedded(Path path, BiConsumer<Map<String, Data>, SafeTensors> change) throws IOException {
        try (InputStream in = Checkpoint.class.getResourceAsStream("shapes.safetensors")) {
            SafeTensors source = SafeTensors.read(in, "shapes");
            Map<String, Data> all = new LinkedHashMap<>();
            for (String key : source.names()) all.put(key, data(source, key));
            change.accept(all, source);
            return write(path, all, source.metadata());
        }
    }

    static Data data(SafeTensors source, String key) {
        long[] shape =
                source.info(key).shape().stream().mapToLong(Long::longValue).toArray();
        return new Data(source.info(key).dtype(), shape, source.data(key));
    }

    /** With five more channels on the UNet's input, as checkpoints for inpainting have. */
    static Path inpainting(Path path) throws IOException {
        return embedded(path, (all, source) -> {
            String key = Checkpoint.UNET + ".input_blocks.0.0.weight";
            float[] first = source.floats(key);
            int out = first.length / 36;
            float[] more = new float[out * 9 * 9];
            for (int o = 0; o < out; o++) {
                System.arraycopy(first, o * 36, more, o * 81, 36);
                for (int i = 0; i < 45; i++)
                    more[o * 81 + 36 + i] = (float) (0.05 * Synth.u("inpainting", o * 45L + i));
            }
            all.put(key, Data.of(more, out, 9, 3, 3));
        });
    }
}
