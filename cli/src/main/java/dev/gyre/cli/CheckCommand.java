package dev.gyre.cli;

import dev.gyre.bench.Table;
import dev.gyre.nn.check.DeviceCheck;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code gyre check}: whether a device computes what the reference loops do. */
@Command(
        name = "check",
        description = "Checks every kernel on a device against its reference loop, and prints a table.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class CheckCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private BackendOptions where;

    @Option(
            names = "--only",
            paramLabel = "WORD",
            description = "Run only cases whose names contain this: linear, conv2d, F16 …")
    private String only;

    @Override
    public Integer call() {
        where.check("tornado");
        Predicate<String> which = name -> only == null || name.contains(only);
        PrintWriter out = spec.commandLine().getOut(), err = spec.commandLine().getErr();
        Console console = new Console(err);
        int cases = (int) DeviceCheck.cases().stream().filter(which).count();
        if (cases == 0) throw new ParameterException(spec.commandLine(), "--only: there is no case named like " + only);
        int[] done = {0};
        Table table = new Table("case", "kernels", "worst error", "ms", "");
        List<DeviceCheck.Row> rows = DeviceCheck.run(where.options(), which, row -> {
            console.bar("checking", ++done[0], cases);
            table.add(
                    row.name(),
                    String.join(", ", row.kernels()),
                    row.problem().isEmpty() ? String.format(Locale.ROOT, "%.1e", row.error()) : "",
                    row.millis(),
                    row.passed() ? "ok" : row.problem().isEmpty() ? "WRONG" : "FAILED");
            if (!row.passed())
                console.line(row.name() + ", kernels " + String.join(", ", row.kernels()) + ": "
                        + (row.problem().isEmpty()
                                ? String.format(Locale.ROOT, "wrong by %.2g of the largest number", row.error())
                                : row.problem()));
        });
        long bad = rows.stream().filter(row -> !row.passed()).count();
        out.print(table.as("md"));
        out.flush();
        console.line(
                bad == 0
                        ? "all " + rows.size() + " cases agree with the reference loops"
                        : bad + " of " + rows.size() + " cases are wrong on this device; do not trust its pictures");
        return bad == 0 ? 0 : 1;
    }
}
