package dev.gyre.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code gyre completion}: a script that teaches a shell Gyre's commands, options and their values. */
@Command(
        name = "completion",
        description = "Prints a completion script for bash and zsh: source <(gyre completion)",
        mixinStandardHelpOptions = true)
final class CompletionCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        spec.commandLine().getOut().print(AutoComplete.bash("gyre", spec.root().commandLine()));
        spec.commandLine().getOut().flush();
        return 0;
    }
}
