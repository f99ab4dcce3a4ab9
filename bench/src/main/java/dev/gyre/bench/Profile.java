package dev.gyre.bench;

import dev.gyre.core.Op;
import dev.gyre.core.Profiler;
import dev.gyre.nn.attention.Attention;
import dev.gyre.nn.conv.Conv2d;
import dev.gyre.nn.elementwise.FusedAdd;
import dev.gyre.nn.linear.Linear;
import dev.gyre.nn.norm.GroupNorm;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;

/** Where the time of running graphs goes, by kind of op and shape. */
public final class Profile implements Profiler {
    private static final class Sum {
        private long calls;
        private long nanos;
        private long flops;
        private long bytes;
    }

    private final Map<String, Sum> sums = new LinkedHashMap<>();

    @Override
    public synchronized void ran(Op op, long start, long nanos) {
        Sum sum = sums.computeIfAbsent(kind(op), kind -> new Sum());
        sum.calls++;
        sum.nanos += nanos;
        sum.flops += op.flops();
        sum.bytes += op.bytes();
    }

    /** Forgets what has run: what comes after a warm-up counts alone. */
    public synchronized void clear() {
        sums.clear();
    }

    /** All floating-point operations that ops count as theirs. */
    public synchronized long flops() {
        return sums.values().stream().mapToLong(sum -> sum.flops).sum();
    }

    /** The kinds by falling time. GB/s counts what an op reads and makes once, weights in the file's type. */
    public synchronized Table table() {
        Table table = new Table("op", "calls", "ms", "share %", "GFLOP/s", "GB/s");
        long all = sums.values().stream().mapToLong(sum -> sum.nanos).sum();
        sums.entrySet().stream()
                .sorted(Comparator.comparingLong((Map.Entry<String, Sum> e) -> e.getValue().nanos)
                        .reversed())
                .forEach(e -> {
                    Sum sum = e.getValue();
                    table.add(
                            e.getKey(),
                            sum.calls,
                            sum.nanos / 1e6,
                            100.0 * sum.nanos / all,
                            sum.flops == 0 ? null : (double) sum.flops / sum.nanos,
                            (double) sum.bytes / sum.nanos);
                });
        return table;
    }

    private static String kind(Op op) {
        String name = op.getClass().getSimpleName();
        if (op instanceof Conv2d conv) {
            int kernel = conv.weight().dim(2);
            return name + " " + kernel + "x" + kernel + (conv.stride() > 1 ? " /" + conv.stride() : "") + " "
                    + conv.y().dim(2) + "x" + conv.y().dim(3);
        }
        if (op instanceof Attention attention)
            return name + " " + attention.q().dim(1) + " on " + attention.k().dim(1);
        if (op instanceof Linear linear) return name + " " + linear.y().dim(0) + " rows";
        if (op instanceof FusedAdd plus) return kind(plus.op()) + " + " + kind(plus.sum());
        if (op instanceof GroupNorm norm) return norm.silu() ? name + " + Silu" : name;
        return name;
    }
}
