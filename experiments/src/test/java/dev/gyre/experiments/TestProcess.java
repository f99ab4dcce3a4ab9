package dev.gyre.experiments;

import dev.gyre.diffusion.StableDiffusion;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A sweep as a process of its own: PROMPTS GRID OUT. */
final class TestProcess {
    private TestProcess() {}

    public static void main(String[] args) throws IOException {
        Plan plan = new Plan(Prompts.read(Path.of(args[0])), Grid.parse(args[1]));
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            new Sweep(plan, sd, Path.of(args[2]), false).run(new Sweep.Listener() {});
        }
        Report.write(Path.of(args[2]), System.out::println);
    }

    /** Starts one. What it says goes to {@code output.txt} beside its results. */
    static Process start(Path prompts, String grid, Path out, String... options) throws IOException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        for (String option : ManagementFactory.getRuntimeMXBean().getInputArguments())
            if (option.startsWith("--")) command.add(option);
        command.addAll(List.of(options));
        command.addAll(List.of(
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                TestProcess.class.getName(),
                prompts.toString(),
                grid,
                out.toString()));
        Path said = out.resolveSibling("output.txt");
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(said.toFile()))
                .start();
    }
}
