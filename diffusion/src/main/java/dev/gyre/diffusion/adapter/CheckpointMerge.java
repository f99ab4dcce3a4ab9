package dev.gyre.diffusion.adapter;

import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.family.ModelConfig;
import dev.gyre.jsafetensors.SafeTensorsWriter;
import dev.gyre.jsafetensors.StoredType;
import dev.gyre.jsafetensors.TensorInfo;
import dev.gyre.nn.LowRank;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Merges LoRAs into a checkpoint's weights: W + strength · α/rank · up · down. Pictures differ from those with the LoRAs loaded beside the
 * weights by rounding only: in the sum, and to the type that is written.
 */
public final class CheckpointMerge {
    private static final List<StoredType> FLOATS = List.of(StoredType.F32, StoredType.F16, StoredType.BF16);
    private static final String AVERAGED = "model_ema.";

    private CheckpointMerge() {}

    /**
     * Writes a checkpoint in the original's layout, whatever the model's layout. Of the UNet's last and averaged weights one set is written.
     *
     * @param ema whether that is the averaged set
     * @param dtype of all weights; empty keeps each weight's own
     * @throws IOException when it cannot be written; then there is no file
     * @throws IllegalArgumentException when an adapter was made for another model, or the type is none of F32, F16 and BF16
     */
    public static void write(
            Checkpoint model, List<ScaledLora> adapters, boolean ema, Optional<StoredType> dtype, Path to)
            throws IOException {
        if (dtype.isPresent() && !FLOATS.contains(dtype.get()))
            throw new IllegalArgumentException("weights are of type F32, F16 or BF16, got " + dtype.get());
        Checkpoint.Source source = model.source(ema).with(ScaledLora.additions(adapters, model, ModelConfig.of(model)));
        SafeTensorsWriter writer = new SafeTensorsWriter();
        model.metadata().forEach(writer::metadata);
        if (!adapters.isEmpty())
            writer.metadata(
                    "merged",
                    adapters.stream()
                            .map(one -> one.lora().name() + ":" + one.strength())
                            .collect(Collectors.joining(", ")));
        for (String key : model.names()) {
            if (key.startsWith(AVERAGED)) continue;
            TensorInfo info = model.info(key);
            StoredType type = FLOATS.contains(info.dtype()) ? dtype.orElse(info.dtype()) : info.dtype();
            writer.tensor(
                    key, type, info.shape().stream().mapToLong(Long::longValue).toArray());
        }
        writer.write(to, (tensor, sink) -> sink.put(data(tensor, model, source)));
    }

    private static MemorySegment data(TensorInfo tensor, Checkpoint model, Checkpoint.Source source) {
        if (!FLOATS.contains(tensor.dtype())) return model.bytes(tensor.name());
        float[] weights = source.find().apply(tensor.name()).orElseThrow().floats();
        String layer = tensor.name().replaceFirst("\\.weight$", "");
        if (!layer.equals(tensor.name())) add(source.additions(), layer, weights);
        dev.gyre.core.DType type = dev.gyre.core.DType.valueOf(tensor.dtype().name());
        Tensor rounded =
                new Tensor(type, Shape.of(weights.length), MemorySegment.ofArray(new byte[(int) tensor.bytes()]));
        rounded.write(weights, 0, 0, weights.length, new short[4096]);
        return rounded.data();
    }

    private static void add(Map<String, List<LowRank>> additions, String layer, float[] weights) {
        for (LowRank one : additions.getOrDefault(layer, List.of())) {
            double[] up = wide(one.up()), inner = inner(one);
            int rank = one.down().shape().dim(0), out = up.length / rank, columns = inner.length / rank;
            IntStream.range(0, out).parallel().forEach(o -> {
                double[] row = new double[columns];
                for (int r = 0; r < rank; r++) {
                    double v = up[o * rank + r];
                    for (int c = 0; c < columns; c++) row[c] += v * inner[r * columns + c];
                }
                for (int c = 0; c < columns; c++) weights[o * columns + c] += (float) (one.scale() * row[c]);
            });
        }
    }

    /** The product of the factors before {@code up}, as one matrix or kernel: [rank, in · kernel · kernel]. */
    private static double[] inner(LowRank one) {
        double[] down = wide(one.down());
        if (one.mid().isEmpty()) return down;
        double[] mid = wide(one.mid().get());
        int rank = one.down().shape().dim(0), in = down.length / rank, taps = mid.length / rank / rank;
        double[] inner = new double[rank * in * taps];
        for (int r = 0; r < rank; r++)
            for (int m = 0; m < rank; m++)
                for (int i = 0; i < in; i++)
                    for (int t = 0; t < taps; t++)
                        inner[(r * in + i) * taps + t] += mid[(r * rank + m) * taps + t] * down[m * in + i];
        return inner;
    }

    private static double[] wide(Tensor tensor) {
        float[] values = tensor.floats();
        double[] wide = new double[values.length];
        for (int i = 0; i < values.length; i++) wide[i] = values[i];
        return wide;
    }
}
