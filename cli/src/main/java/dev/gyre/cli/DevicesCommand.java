package dev.gyre.cli;

import dev.gyre.bench.Table;
import dev.gyre.core.Device;
import dev.gyre.core.TornadoBackend;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** What there is to compute on. */
@Command(
        name = "devices",
        description = "Lists the devices that TornadoVM reaches.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class DevicesCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        Table table = new Table(
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
                "kernels");
        for (Device device : TornadoBackend.devices())
            table.add(
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
                    device.halves() ? "yes" : "no",
                    device.target().kernels().name().toLowerCase(Locale.ROOT));
        spec.commandLine().getOut().print(table.as("md"));
        spec.commandLine().getOut().flush();
        return 0;
    }
}
