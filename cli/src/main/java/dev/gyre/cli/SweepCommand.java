package dev.gyre.cli;

import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.experiments.Grid;
import dev.gyre.experiments.Plan;
import dev.gyre.experiments.Prompts;
import dev.gyre.experiments.Report;
import dev.gyre.experiments.Sweep;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code gyre sweep}: a table of prompts and a grid of settings become a table of results. */
@Command(
        name = "sweep",
        description =
                "Runs every prompt of a table with every combination of settings, and writes an Arrow file with one row a picture, a"
                        + " contact sheet and a report. An interrupted sweep resumes where it stopped.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class SweepCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "PROMPTS",
            description =
                    "A table (.csv, .jsonl or .arrow) with a column prompt; other columns may be settings, reference (an"
                            + " image to compare with) or labels that are kept.")
    private Path prompts;

    @Option(
            names = {"-g", "--grid"},
            paramLabel = "SETTINGS",
            defaultValue = "",
            description =
                    "Settings and their values, as in \"sampler=euler,dpm++2m steps=10,20 seed=0..7\"; gyre settings lists them;"
                            + " the seed's default is 0.")
    private String grid;

    @Option(
            names = {"-o", "--out"},
            paramLabel = "FILE",
            defaultValue = "results.arrow",
            description =
                    "Arrow file to write; the report is written beside it as .html and .png. (default: ${DEFAULT-VALUE})")
    private Path out;

    @Option(names = "--step-latents", description = "Also keep the latents of every step.")
    private boolean stepLatents;

    @Option(
            names = {"-m", "--model"},
            paramLabel = "FILE",
            description = "Checkpoint. (default: the small embedded model)")
    private Path model;

    @Mixin
    private LoadOptions load;

    @Mixin
    private BackendOptions where;

    @Override
    public Integer call() throws IOException {
        load.check(spec, where);
        if (!ByteBuffer.class.getModule().isOpen("java.nio", SweepCommand.class.getModule()))
            throw new UnsupportedOperationException(
                    "a sweep needs Java to be started with"
                            + " --add-opens java.base/java.nio=ALL-UNNAMED, as the launcher does when sweep is its first argument");
        Logger arrow =
                Logger.getLogger("org.apache.arrow"); // a strong reference, or the garbage collector resets the level
        arrow.setLevel(Level.WARNING);
        System.setProperty("java.awt.headless", "true"); // AWT renders images and opens no window
        Plan plan = plan();
        SweepConsole console = new SweepConsole(spec.commandLine().getErr(), plan.size());
        try (StableDiffusion sd =
                load.load(Optional.ofNullable(model), load.precision(), console, where, Optional.empty())) {
            console.line("model " + sd.checkpoint().name() + ": "
                    + plan.prompts().rows().size() + " prompts, " + plan.grid().size() + " combinations each: "
                    + plan.size() + " pictures");
            new Sweep(plan, sd, out, stepLatents).run(console);
        }
        for (Path written : Report.write(out, console::note)) console.line("wrote " + written);
        return 0;
    }

    private Plan plan() throws IOException {
        Prompts table = Prompts.read(prompts);
        try {
            return new Plan(table, Grid.parse(grid));
        } catch (IllegalArgumentException e) {
            throw MachineOptions.usage(spec, (e.getMessage().startsWith("grid:") ? "--" : "") + e.getMessage());
        }
    }
}
