package dev.gyre.cli;

import dev.gyre.core.KernelCall;
import dev.gyre.core.Op;
import dev.gyre.core.tornado.DeviceListener;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Progress of preparing a device: compiling, uploading, and with {@code --explain} the kernels of each op. */
final class DeviceConsole implements DeviceListener {
    private final Console console;
    private final boolean explain;

    DeviceConsole(Console console, boolean explain) {
        this.console = console;
        this.explain = explain;
    }

    @Override
    public void compiling(int done, int tasks) {
        console.bar("compiling kernels", done, tasks);
    }

    @Override
    public void uploading(long done, long bytes) {
        if (bytes > 0) console.bar("uploading weights, MiB", (int) (done >> 20), (int) (bytes >> 20));
    }

    /** The kernels of each op, and how often they run, in the order of the graph. */
    @Override
    public void chosen(List<Op> ops, List<KernelCall> steps) {
        if (!explain) return;
        Map<String, Integer> counts = new LinkedHashMap<>();
        for (int i = 0; i < ops.size(); ) {
            Op op = ops.get(i);
            StringBuilder line = new StringBuilder(op.getClass().getSimpleName()).append(": ");
            for (boolean first = true; i < ops.size() && ops.get(i) == op; i++, first = false)
                line.append(first ? "" : ", ").append(steps.get(i).name());
            counts.merge(line.toString(), 1, Integer::sum);
        }
        counts.forEach((line, count) -> console.line("  " + count + " × " + line));
    }

    @Override
    public void compiled(Ready ready) {
        console.line(String.format(
                Locale.ROOT,
                "%d kernels in %d task graphs: planned in %.1f s, compiled in %.1f s; %d MiB of weights and %d MiB of"
                        + " working memory on the device, %.1f KiB moved by every run",
                ready.tasks(),
                ready.graphs(),
                ready.planNanos() / 1e9,
                ready.compileNanos() / 1e9,
                ready.weightBytes() >> 20,
                ready.workingBytes() >> 20,
                ready.trafficBytes() / 1024.0));
    }
}
