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

    @Mixin
    private Where where;

    @Override
    public Integer call() throws IOException {
        machine.check(spec, where);
        Parameters parameters = Parameters.read(picture);
        Request request = parameters.request();
        if (request.noise().seed().isEmpty())
            throw new IOException(picture + ": its parameters name no seed, so the picture cannot be drawn again");
        Path to = output != null ? output : PictureWriter.renamed(picture, "-again");
        machine.ema |= parameters.ema();
        machine.otherwise(parameters.precision());
        PictureWriter writer = new PictureWriter(spec.commandLine().getErr(), to, 1, PictureWriter.Previews.NONE);
        if (!parameters.others().isEmpty())
            writer.note("drawn without what Gyre does not know: "
                    + String.join(", ", parameters.others().keySet()));
        try (Tracing tracing = machine.tracing();
                StableDiffusion sd = machine.load(writer, where, tracing)) {
            compare(parameters, sd, writer);
            writer.draw(sd, request, tracing);
        }
        return 0;
    }

    /** Another model draws another picture. */
    private void compare(Parameters parameters, StableDiffusion sd, PictureWriter writer) throws IOException {
        String wanted = parameters.model(), given = sd.checkpoint().name();
        if (wanted.isEmpty() || wanted.equals(given)) return;
        if (machine.model == null)
            throw new IOException(picture + ": drawn with the model " + wanted + "; name its file with --model");
        writer.note("the picture was drawn with " + wanted + ", this is " + given
                + ": unless they are the same, the picture will be another");
    }
}
