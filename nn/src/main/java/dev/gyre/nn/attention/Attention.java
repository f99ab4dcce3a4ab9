package dev.gyre.nn.attention;

import dev.gyre.core.JvmKernel;
import dev.gyre.core.JvmMemory;
import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.Precision;
import dev.gyre.core.Target;
import dev.gyre.core.Value;
import dev.gyre.core.Workers;
import dev.gyre.nn.cpu.Elementwise;
import dev.gyre.nn.cpu.MachineBf16Kernel;
import dev.gyre.nn.cpu.MicroKernel;
import dev.gyre.nn.cpu.MicroKernels;
import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * y = softmax(q · kᵀ / √depth) · v for every head (Vaswani et al. 2017), a head being {@code depth} neighbouring channels.
 *
 * @param q [batch, queries, heads · depth]
 * @param k [batch, keys, heads · depth]
 * @param v [batch, keys, heads · depth]
 * @param causal whether query i sees keys 0 to i only
 * @param y as q
 */
public record Attention(Value q, Value k, Value v, int heads, boolean causal, Value y) implements Op {
    /** Queries that one piece of the faster way takes side by side. */
    private static final int QUERIES = 512;

    /**
     * Takes q [batch, queries, channels], k and v [batch, keys, channels]; gives q's shape.
     *
     * @throws IllegalArgumentException when the channels do not make so many heads
     */
    public static Value of(Value q, Value k, Value v, int heads, boolean causal) {
        if (q.dim(2) % heads != 0)
            throw new IllegalArgumentException(
                    "attention over " + q + ": " + q.dim(2) + " channels do not make " + heads + " heads");
        return Elementwise.like(q, y -> new Attention(q, k, v, heads, causal, y));
    }

    @Override
    public List<Value> inputs() {
        return List.of(q, k, v);
    }

    @Override
    public Value output() {
        return y;
    }

    @Override
    public long flops() {
        return 4L * q.shape().elements() * k.dim(1);
    }

    @Override
    public List<KernelCall> loops() {
        int depth = q.dim(2) / heads;
        return List.of(Kernel.call(
                q.dim(0) * heads * q.dim(1),
                Attention::attention,
                q.dim(1),
                k.dim(1),
                heads,
                depth,
                causal ? 1 : 0,
                (float) (1 / Math.sqrt(depth)),
                q,
                k,
                v,
                y));
    }

    /**
     * The definition: one query of one head an iteration. The largest score is found first, so that no exponential overflows; the
     * weighted values are summed in y itself, so no row of scores is stored.
     */
    public static void attention(
            int begin,
            int count,
            int queries,
            int keys,
            int heads,
            int depth,
            int causal,
            float scale,
            FloatArray q,
            FloatArray k,
            FloatArray v,
            FloatArray y) {
        for (@Parallel int n = 0; n < count; n++) {
            int i = begin + n, query = i % queries, head = i / queries % heads, batch = i / (queries * heads);
            int width = heads * depth;
            int at = (batch * queries + query) * width + head * depth;
            int first = batch * keys * width + head * depth;
            int seen = causal == 1 ? TornadoMath.min(query + 1, keys) : keys;
            float largest = -3.4e38f;
            for (int j = 0; j < seen; j++) {
                float score = 0f;
                for (int c = 0; c < depth; c++) score += q.get(at + c) * k.get(first + j * width + c);
                largest = TornadoMath.max(largest, score * scale);
            }
            for (int c = 0; c < depth; c++) y.set(at + c, 0f);
            float sum = 0f;
            for (int j = 0; j < seen; j++) {
                float score = 0f;
                for (int c = 0; c < depth; c++) score += q.get(at + c) * k.get(first + j * width + c);
                float p = TornadoMath.exp(score * scale - largest);
                sum += p;
                for (int c = 0; c < depth; c++) y.set(at + c, y.get(at + c) + p * v.get(first + j * width + c));
            }
            for (int c = 0; c < depth; c++) y.set(at + c, y.get(at + c) / sum);
        }
    }

    @Override
    public List<KernelCall> device(Target target) {
        return target.kernels() == Target.KernelKind.REFERENCE ? loops() : AttentionSimd.calls(this, target);
    }

    /** Some queries of a head at a time: see {@link FlashAttention}. */
    @Override
    public Optional<JvmKernel> jvm() {
        return jvm(Precision.F32);
    }

    @Override
    public Optional<JvmKernel> jvm(Precision precision) {
        return Optional.of((memory, workers) -> run(precision, memory, workers));
    }

    private void run(Precision precision, JvmMemory memory, Workers workers) {
        MicroKernel tile = precision == Precision.BF16 ? new MachineBf16Kernel() : MicroKernels.best();
        int n = q.dim(1), groups = q.dim(0) * heads;
        // Each block reads the keys and values again: no finer than gives each thread something to do.
        int cuts = Math.max((n + QUERIES - 1) / QUERIES, Math.min(n / 64, workers.threads() * 2 / groups));
        int some = tile.panels((n + Math.max(1, cuts) - 1) / Math.max(1, cuts)) * tile.nr();
        int blocks = (n + some - 1) / some;
        workers.run(groups * blocks, (piece, scratch) -> {
            int group = piece / blocks, first = piece % blocks * some;
            FlashAttention block = new FlashAttention(
                    this, memory, group / heads, group % heads, first, Math.min(some, n - first), tile, scratch);
            block.run(precision == Precision.BF16 ? new FlashAttentionBf16(block) : new FlashAttentionF32(block));
        });
    }
}
