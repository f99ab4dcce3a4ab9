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
 * Scaled dot-product attention: y = softmax(q · kᵀ / √depth) · v for every head (Vaswani et al. 2017), a head being
 * {@code depth} neighbouring channels.
 *
 * @param q [batch, queries, heads · depth]
 * @param k [batch, keys, heads · depth]
 * @param v [batch, keys, heads · depth]
 * @param causal whether query i attends to keys 0 to i only
 * @param y as q
 */
public record Attention(Value q, Value k, Value v, int heads, boolean causal, Value y) implements Op {
    /** Queries of a block of {@link FlashAttention}. */
    private static final int QUERIES = 512;

    /**
     * Adds attention over q [batch, queries, channels], k and v [batch, keys, channels]; returns q's shape.
     *
     * @throws IllegalArgumentException when the channels are not divisible by {@code heads}
     */
    public static Value of(Value q, Value k, Value v, int heads, boolean causal) {
        if (q.dim(2) % heads != 0)
            throw new IllegalArgumentException(
                    "attention over " + q + ": " + q.dim(2) + " channels are not divisible by " + heads + " heads");
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
     * The definition: one query of one head an iteration. The maximum score is found first, so that no exponential
     * overflows; the weighted values are accumulated in y itself, so no row of scores is stored.
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
        return switch (target.kernels()) {
            case REFERENCE -> loops();
            case SIMD -> AttentionSimd.calls(this);
            case WORKGROUP, VENDOR -> AttentionGpu.calls(this);
            case TENSOR_CORE -> AttentionTensorCore.calls(this);
        };
    }

    /** {@link FlashAttention}, blocks of queries of a head at a time. */
    @Override
    public Optional<JvmKernel> jvm() {
        return jvm(Precision.F32);
    }

    @Override
    public Optional<JvmKernel> jvm(Precision precision) {
        return Optional.of((memory, workers) -> run(precision, memory, workers));
    }

    private void run(Precision precision, JvmMemory memory, Workers workers) {
        MicroKernel micro = precision == Precision.BF16 ? new MachineBf16Kernel() : MicroKernels.best();
        int n = q.dim(1), batchHeads = q.dim(0) * heads;
        // Each block reads the keys and values again: no more blocks than keep all threads busy.
        int split = Math.max((n + QUERIES - 1) / QUERIES, Math.min(n / 64, workers.threads() * 2 / batchHeads));
        int blockQueries = micro.panels((n + Math.max(1, split) - 1) / Math.max(1, split)) * micro.nr();
        int blocks = (n + blockQueries - 1) / blockQueries;
        workers.run(batchHeads * blocks, (piece, scratch) -> {
            int batchHead = piece / blocks, first = piece % blocks * blockQueries;
            FlashAttention block = new FlashAttention(
                    this,
                    memory,
                    batchHead / heads,
                    batchHead % heads,
                    first,
                    Math.min(blockQueries, n - first),
                    micro,
                    scratch);
            block.run(precision == Precision.BF16 ? new FlashAttentionBf16(block) : new FlashAttentionF32(block));
        });
    }
}
