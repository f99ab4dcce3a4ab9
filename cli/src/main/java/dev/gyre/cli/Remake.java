package dev.gyre.cli;

import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.adapter.TextualInversion;
import dev.gyre.diffusion.metadata.OpenSources;
import dev.gyre.diffusion.metadata.Parameters;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code gyre remake picture.png}: the same picture again, from the parameters in its PNG. */
@Command(
        name = "remake",
        description = "Generates a picture again from the parameters in its PNG, Gyre's or AUTOMATIC1111's.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class Remake implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @picocli.CommandLine.Parameters(paramLabel = "PICTURE", description = "PNG with parameters.")
    private Path picture;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "PNG to write. (default: the picture's name with -again)")
    private Path output;

    @Option(
            names = "--with",
            paramLabel = "FILE",
            description =
                    "Image, LoRA or other file that the picture was made from, or a folder that contains it; repeatable."
                            + " Files are recognised by their hashes."
                            + " (default: where they were, and beside the picture)")
    private List<Path> given = List.of();

    @Mixin
    private MachineOptions machine;

    @Mixin
    private BackendOptions where;

    @Override
    public Integer call() throws IOException {
        machine.check(spec, where);
        Parameters parameters = Parameters.read(picture);
        if (parameters.request().noise().seed().isEmpty())
            throw new IOException(picture + ": its parameters name no seed, so the picture cannot be drawn again");
        Path to = output != null ? output : PictureWriter.renamed(picture, "-again");
        PictureWriter writer = new PictureWriter(spec.commandLine().getErr(), to, 1, PictureWriter.Previews.NONE);
        if (!parameters.others().isEmpty())
            writer.note("drawn without what Gyre does not know: "
                    + String.join(", ", parameters.others().keySet()));
        SourceFinder pantry = new SourceFinder(picture, given);
        machine.as(parameters, pantry);
        try (OpenSources files = ingredients(parameters, pantry);
                Tracing tracing = machine.tracing();
                StableDiffusion sd = machine.load(writer, where, tracing)) {
            compare(parameters, sd, writer);
            for (TextualInversion word : files.words()) sd.add(word);
            writer.draw(sd, files.request(), tracing);
        }
        return 0;
    }

    private OpenSources ingredients(Parameters parameters, SourceFinder pantry) throws IOException {
        try {
            return OpenSources.open(parameters, pantry);
        } catch (IllegalArgumentException e) {
            throw new IOException(picture + ": " + e.getMessage(), e);
        }
    }

    /** Notes what differs from how the picture was generated. */
    private void compare(Parameters parameters, StableDiffusion sd, PictureWriter writer) throws IOException {
        String wanted = parameters.model(), given = sd.checkpoint().name();
        if (!wanted.isEmpty() && !wanted.equals(given)) {
            if (machine.model == null)
                throw new IOException(picture + ": drawn with the model " + wanted + "; name its file with --model");
            other(writer, "with " + wanted, given);
        }
        if (!parameters.backend().equals(sd.backend()))
            other(writer, "on the backend " + parameters.backend(), sd.backend());
        if (parameters.quantized() != sd.quantized())
            other(writer, parameters.quantized() ? "in eight bits" : "in full precision", "not so");
    }

    private static void other(PictureWriter writer, String wanted, String given) {
        writer.note("the picture was drawn " + wanted + ", this is " + given
                + ": unless they are the same, the picture will be another");
    }
}
