package dev.gyre.cli;

import dev.gyre.diffusion.Parameters;
import dev.gyre.diffusion.Request;
import dev.gyre.diffusion.StableDiffusion;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code gyre remake picture.png}: the same picture again, from what its PNG says. */
@Command(
        name = "remake",
        description = "Draws a picture again from the parameters in its PNG, Gyre's own or AUTOMATIC1111's.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class Remake implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @picocli.CommandLine.Parameters(paramLabel = "PICTURE", description = "A PNG.")
    private Path picture;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "The PNG to write (the picture's name with -again).")
    private Path output;

    @Mixin
    private MachineOptions machine;

    @Override
    public Integer call() throws IOException {
        machine.check(spec);
        Parameters parameters = Parameters.read(picture);
        Request request = parameters.request();
        if (request.noise().seed().isEmpty())
            throw new IOException(picture + ": its parameters name no seed, so the picture cannot be drawn again");
        Path to = output != null ? output : Session.renamed(picture, "-again");
        machine.ema |= parameters.ema();
        Session session = new Session(spec.commandLine().getErr(), to, 1, Session.Previews.NONE);
        if (!parameters.others().isEmpty())
            session.note("drawn without what Gyre does not know: "
                    + String.join(", ", parameters.others().keySet()));
        try (StableDiffusion sd = machine.load(session)) {
            compare(parameters, sd, session);
            session.draw(sd, request);
        }
        return 0;
    }

    /** Another model draws another picture. */
    private void compare(Parameters parameters, StableDiffusion sd, Session session) throws IOException {
        String wanted = parameters.model(), given = sd.checkpoint().name();
        if (wanted.isEmpty() || wanted.equals(given)) return;
        if (machine.model == null)
            throw new IOException(picture + ": drawn with the model " + wanted + "; name its file with --model");
        session.note("the picture was drawn with " + wanted + ", this is " + given
                + ": unless they are the same, the picture will be another");
    }
}
