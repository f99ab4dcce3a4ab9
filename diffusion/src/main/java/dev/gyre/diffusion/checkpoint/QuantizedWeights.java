package dev.gyre.diffusion.checkpoint;

import dev.gyre.core.Q8;
import dev.gyre.core.Tensor;
import java.lang.foreign.Arena;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A checkpoint's weights quantized to 8 bits ({@link Q8}): the matrices and kernels of the UNet and the text encoder, at half the size of
 * F16. The VAE, norms, biases and embeddings are not quantized.
 */
public final class QuantizedWeights implements AutoCloseable {
    /** A quantized tensor, with the sums of its squared errors and of its squares. */
    private record Made(String key, Tensor tensor, double error, double squares) {}

    private final Arena arena = Arena.ofShared();
    private final Map<String, Made> made = new ConcurrentHashMap<>();

    /**
     * Quantizes on all processors.
     *
     * @param roots where the keys begin of the parts of the model that are quantized
     */
    public QuantizedWeights(Checkpoint checkpoint, Checkpoint.Source source, List<String> roots) {
        List<String> keys = roots.stream()
                .flatMap(root -> checkpoint.layers(root).stream())
                .filter(layer -> !layer.contains("embedding"))
                .map(layer -> layer + ".weight")
                .toList();
        try {
            List<String> problems = keys.parallelStream()
                    .flatMap(key -> quantize(key, source).stream())
                    .toList();
            if (!problems.isEmpty()) throw new ArithmeticException(checkpoint.name() + ": " + problems.getFirst());
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    /** @return an error message: an exception of another thread would lose it */
    private Optional<String> quantize(String key, Checkpoint.Source source) {
        Tensor before = source.find().apply(key).orElseThrow();
        if (!Q8.fits(before.shape())) return Optional.empty();
        Tensor after;
        try {
            after = Q8.of(before, arena);
        } catch (ArithmeticException e) {
            return Optional.of(key + ": " + e.getMessage());
        }
        float[] exact = new float[4096], near = new float[4096];
        short[] scratch = new short[4096];
        double error = 0, squares = 0;
        int n = before.shape().elements();
        for (int at = 0; at < n; at += exact.length) {
            int count = Math.min(exact.length, n - at);
            before.read(at, exact, 0, count, scratch);
            after.read(at, near, 0, count, scratch);
            for (int i = 0; i < count; i++) {
                error += Math.pow(exact[i] - near[i], 2);
                squares += (double) exact[i] * exact[i];
            }
        }
        if (before.data().isMapped()) before.data().unload();
        made.put(key, new Made(key, after, error, squares));
        return Optional.empty();
    }

    /** The quantized tensor of a key, if there is one. */
    public Optional<Tensor> find(String key) {
        return Optional.ofNullable(made.get(key)).map(Made::tensor);
    }

    /** The size of the weights in bytes. */
    public long bytes() {
        return made.values().stream()
                .mapToLong(one -> one.tensor.data().byteSize())
                .sum();
    }

    /** The relative error: the root mean square of the errors over that of the weights. */
    public double error() {
        double error = made.values().stream().mapToDouble(Made::error).sum();
        return Math.sqrt(
                error / made.values().stream().mapToDouble(Made::squares).sum());
    }

    @Override
    public String toString() {
        Made worst = made.values().stream()
                .max(Comparator.comparingDouble(one -> one.error / one.squares))
                .orElseThrow();
        return String.format(
                Locale.ROOT,
                "weights in 8 bits (Q8_0): %d tensors, %d MiB; relative error %.2f %% (root mean square), at most %.2f %% (%s)",
                made.size(),
                bytes() >> 20,
                100 * error(),
                100 * Math.sqrt(worst.error / worst.squares),
                worst.key);
    }

    @Override
    public void close() {
        arena.close();
    }
}
