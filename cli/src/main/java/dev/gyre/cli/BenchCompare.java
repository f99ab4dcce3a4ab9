package dev.gyre.cli;

import dev.gyre.bench.Comparison;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code gyre bench compare before.json after.json}: what has become faster, what slower, and what is noise. */
@Command(
        name = "compare",
        description =
                "Compares two results of gyre bench --output json or of JMH's -rf json. A difference counts if it is"
                        + " larger than the noise of both.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class BenchCompare implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(index = "0", paramLabel = "BEFORE", description = "Results in JSON.")
    private Path before;

    @Parameters(index = "1", paramLabel = "AFTER", description = "Results of the same kind.")
    private Path after;

    @Option(names = "--output", defaultValue = "md", description = "md, csv or json. (default: ${DEFAULT-VALUE})")
    private String output;

    @Option(names = "--fail-if-slower", description = "Exit with 3 if anything is slower beyond the noise.")
    private boolean strict;

    @Override
    public Integer call() throws IOException {
        Comparison comparison = Comparison.of(before, after);
        spec.commandLine().getOut().print(comparison.table().as(output));
        spec.commandLine().getOut().flush();
        for (String missing : comparison.unmatched())
            spec.commandLine().getErr().println(missing);
        return strict && comparison.isSlower() ? 3 : 0;
    }
}
