package dev.gyre.diffusion.family;

import dev.gyre.core.Shape;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.sampler.NoiseSchedule;
import dev.gyre.jsafetensors.SafeTensorsWriter;
import dev.gyre.jsafetensors.StoredType;
import dev.gyre.jsafetensors.TensorInfo;
import dev.gyre.nn.Weights;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import java.util.zip.CRC32;

/**
 * Writes full-size checkpoints with weights that are hashes of their names, so that anyone can run and measure Stable Diffusion v1.5 without
 * downloading it.
 */
public final class SyntheticCheckpoint {
    private static final int BLOCK = 1 << 16;
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private SyntheticCheckpoint() {}

    /** The {@code i}-th number of a name, in [−1, 1): the top 24 bits of splitmix64 (Steele, Lea and Flood 2014). */
    public static double u(String key, long i) {
        return u(crc32(key), i);
    }

    private static double u(long crc, long i) {
        long z = (crc << 32) + i + 0x9E3779B97F4A7C15L;
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        z ^= z >>> 31;
        return (z >>> 40) * 0x1p-23 - 1;
    }

    private static long crc32(String key) {
        CRC32 crc = new CRC32();
        crc.update(key.getBytes(StandardCharsets.UTF_8));
        return crc.getValue();
    }

    /**
     * Writes a checkpoint in Stable Diffusion v1.5's original layout, the original's buffers included. Matrices have variance 1 over
     * what they sum, so activations keep their size from layer to layer.
     *
     * @param dtype F32, or F16: then every number is the F32 one rounded to the nearest
     * @param ema whether averaged weights of the UNet stand beside the others
     * @throws IOException when it cannot be written; then there is no file
     */
    public static void write(Path path, StoredType dtype, boolean ema) throws IOException {
        if (dtype != StoredType.F32 && dtype != StoredType.F16)
            throw new IllegalArgumentException("a synthetic checkpoint is of type F32 or F16, got " + dtype);
        Map<String, Shape> parameters = parameters();
        SafeTensorsWriter writer = new SafeTensorsWriter();
        Map<String, String> rules = new HashMap<>(); // of a key, the key whose rank and name tell how it is filled
        buffers().forEach((key, values) -> writer.tensor(key, StoredType.F32, NoiseSchedule.TIMESTEPS));
        parameters.forEach((key, shape) -> {
            writer.tensor(key, dtype, dims(shape));
            rules.put(key, key);
        });
        writer.tensor(Checkpoint.TEXT + ".text_model.embeddings.position_ids", StoredType.I64, 1, 77);
        if (ema) {
            parameters.forEach((key, shape) -> {
                if (!key.startsWith(Checkpoint.UNET)) return;
                writer.tensor(Checkpoint.emaKey(key), dtype, dims(shape));
                rules.put(Checkpoint.emaKey(key), key);
            });
            writer.tensor("model_ema.decay", StoredType.F32);
            writer.tensor("model_ema.num_updates", StoredType.I32);
        }
        Map<String, IntToDoubleFunction> buffers = buffers();
        writer.write(path, (tensor, sink) -> {
            if (rules.containsKey(tensor.name())) fill(tensor, rules.get(tensor.name()), sink);
            else if (buffers.containsKey(tensor.name())) sink.put(floats(buffers.get(tensor.name())));
            else sink.put(counter(tensor));
        });
    }

    /** Every parameter of the model with its shape, as its networks ask for them. */
    public static Map<String, Shape> parameters() {
        Map<String, Shape> all = new LinkedHashMap<>();
        Checkpoint.Source nothing = new Checkpoint.Source(key -> Optional.empty(), Map.of());
        for (Weights part : StableDiffusionV1.V1_5.ask(nothing)) all.putAll(part.asked());
        return all;
    }

    private static void fill(TensorInfo tensor, String rule, SafeTensorsWriter.Sink sink) throws IOException {
        long crc = crc32(tensor.name()), elements = tensor.elements();
        boolean matrix = tensor.shape().size() > 1;
        double scale = matrix ? Math.sqrt(3.0 / (elements / tensor.shape().get(0))) : 0.1;
        double offset = !matrix && rule.endsWith(".weight") ? 1 : 0;
        int width = tensor.dtype().bits() / 8;
        MemorySegment block = MemorySegment.ofArray(new byte[BLOCK * width]);
        for (long from = 0; from < elements; from += BLOCK) {
            int n = (int) Math.min(BLOCK, elements - from);
            long first = from;
            IntStream.range(0, n).parallel().forEach(i -> {
                float v = (float) (offset + scale * u(crc, first + i));
                if (width == 4) block.set(FLOAT, 4L * i, v);
                else block.set(SHORT, 2L * i, Float.floatToFloat16(v));
            });
            sink.put(block.asSlice(0, (long) n * width));
        }
    }

    private static MemorySegment counter(TensorInfo tensor) {
        MemorySegment bytes = MemorySegment.ofArray(new byte[(int) tensor.bytes()]);
        if (tensor.dtype() == StoredType.I64) for (int i = 0; i < 77; i++) bytes.set(LONG, 8L * i, i);
        else if (tensor.dtype() == StoredType.F32) bytes.set(FLOAT, 0, 0.9999f);
        else bytes.set(INT, 0, 0);
        return bytes;
    }

    private static MemorySegment floats(IntToDoubleFunction values) {
        MemorySegment bytes = MemorySegment.ofArray(new byte[4 * NoiseSchedule.TIMESTEPS]);
        for (int t = 0; t < NoiseSchedule.TIMESTEPS; t++) bytes.set(FLOAT, 4L * t, (float) values.applyAsDouble(t));
        return bytes;
    }

    /** The schedule as the original stores it (Ho et al. 2020, equations 4 to 7). */
    private static Map<String, IntToDoubleFunction> buffers() {
        NoiseSchedule schedule = new NoiseSchedule();
        IntToDoubleFunction a = schedule::alphaCumprod, previous = t -> t == 0 ? 1 : schedule.alphaCumprod(t - 1);
        IntToDoubleFunction beta = t -> 1 - a.applyAsDouble(t) / previous.applyAsDouble(t);
        IntToDoubleFunction rest = t -> 1 - a.applyAsDouble(t);
        IntToDoubleFunction variance =
                t -> beta.applyAsDouble(t) * (1 - previous.applyAsDouble(t)) / rest.applyAsDouble(t);
        Map<String, IntToDoubleFunction> all = new LinkedHashMap<>();
        all.put("betas", beta);
        all.put("alphas_cumprod", a);
        all.put("alphas_cumprod_prev", previous);
        all.put("sqrt_alphas_cumprod", t -> Math.sqrt(a.applyAsDouble(t)));
        all.put("sqrt_one_minus_alphas_cumprod", t -> Math.sqrt(rest.applyAsDouble(t)));
        all.put("log_one_minus_alphas_cumprod", t -> Math.log(rest.applyAsDouble(t)));
        all.put("sqrt_recip_alphas_cumprod", t -> Math.sqrt(1 / a.applyAsDouble(t)));
        all.put("sqrt_recipm1_alphas_cumprod", t -> Math.sqrt(1 / a.applyAsDouble(t) - 1));
        all.put("posterior_variance", variance);
        all.put("posterior_log_variance_clipped", t -> Math.log(Math.max(variance.applyAsDouble(t), 1e-20)));
        all.put(
                "posterior_mean_coef1",
                t -> beta.applyAsDouble(t) * Math.sqrt(previous.applyAsDouble(t)) / rest.applyAsDouble(t));
        all.put(
                "posterior_mean_coef2",
                t -> (1 - previous.applyAsDouble(t)) * Math.sqrt(1 - beta.applyAsDouble(t)) / rest.applyAsDouble(t));
        return all;
    }

    private static long[] dims(Shape shape) {
        return shape.dims().stream().mapToLong(Integer::longValue).toArray();
    }
}
