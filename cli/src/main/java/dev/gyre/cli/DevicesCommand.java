package dev.gyre.cli;

import dev.gyre.bench.DeviceLimits;
import dev.gyre.bench.Table;
import dev.gyre.core.tornado.Device;
import dev.gyre.core.tornado.TornadoBackend;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code gyre devices}: TornadoVM's devices. */
@Command(
        name = "devices",
        description = "Lists TornadoVM's devices.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class DevicesCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--measure", description = "Also measure peak FLOP/s, copy bandwidth and launch latency.")
    private boolean measure;

    @Override
    public Integer call() {
        List<String> columns = new ArrayList<>(List.of(
                "device",
                "name",
                "platform",
                "language",
                "kind",
                "units",
                "memory MiB",
                "largest buffer MiB",
                "local KiB",
                "largest group",
                "f16",
                "kernels"));
        if (measure) columns.addAll(List.of("GFLOP/s", "GB/s", "µs a task"));
        Table table = new Table(columns.toArray(String[]::new));
        for (Device device : TornadoBackend.devices()) {
            List<Object> row = new ArrayList<>(List.of(
                    device.id(),
                    device.name(),
                    device.platform(),
                    device.language(),
                    device.kind(),
                    device.units(),
                    device.memory() >> 20,
                    device.largestBuffer() >> 20,
                    device.localMemory() >> 10,
                    device.largestGroup(),
                    device.f16() ? "yes" : "no",
                    BackendOptions.name(device.target().kernels())));
            if (measure) {
                DeviceLimits limits = DeviceLimits.measure(TornadoBackend.Options.DEFAULT.device(device.id()));
                row.addAll(List.of(limits.gflops(), limits.gigabytes(), limits.launch() * 1e6));
            }
            table.add(row.toArray());
        }
        spec.commandLine().getOut().print(table.as("md"));
        spec.commandLine().getOut().flush();
        return 0;
    }
}
