package dev.gyre.nn.attention;

import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import java.util.function.Function;
import java.util.stream.IntStream;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * The attention weights of an {@link Attention}: softmax(q · kᵀ / √depth). No implementation of attention stores them,
 * so they are computed from q and k, which an {@link dev.gyre.core.Observer} receives.
 */
public final class AttentionMap {
    private AttentionMap() {}

    /**
     * Computes the whole map.
     *
     * @param values the elements of q and k, as an observer receives them
     * @return [batch, heads, queries, keys]; for every query the weights sum to 1
     * @throws IllegalArgumentException when the map has more than 2³¹−1 elements
     */
    public static Tensor of(Attention attention, Function<Value, Tensor> values) {
        Value q = attention.q(), k = attention.k();
        int batch = q.dim(0), queries = q.dim(1), keys = k.dim(1), heads = attention.heads();
        Shape shape = Shape.of(batch, heads, queries, keys);
        int depth = q.dim(2) / heads;
        FloatArray from = FloatArray.fromArray(values.apply(q).floats());
        FloatArray to = FloatArray.fromArray(values.apply(k).floats());
        FloatArray map = new FloatArray(shape.elements());
        float scale = (float) (1 / Math.sqrt(depth));
        IntStream.range(0, batch * heads)
                .parallel()
                .forEach(head -> attentionMap(
                        head * queries,
                        queries,
                        queries,
                        keys,
                        heads,
                        depth,
                        attention.causal() ? 1 : 0,
                        scale,
                        from,
                        to,
                        map));
        return Tensor.of(map.toHeapArray(), batch, heads, queries, keys);
    }

    /** One query of one head an iteration. The maximum score is found first, so that no exponential overflows. */
    public static void attentionMap(
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
            FloatArray map) {
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
                map.set(i * keys + j, score * scale);
                largest = TornadoMath.max(largest, score * scale);
            }
            float sum = 0f;
            for (int j = 0; j < seen; j++) {
                float p = TornadoMath.exp(map.get(i * keys + j) - largest);
                map.set(i * keys + j, p);
                sum += p;
            }
            for (int j = 0; j < seen; j++) map.set(i * keys + j, map.get(i * keys + j) / sum);
            for (int j = seen; j < keys; j++) map.set(i * keys + j, 0f);
        }
    }
}
