package dev.gyre.cli;

import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.output.Preview;
import dev.gyre.diffusion.request.Request;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Runs a request and writes each picture as soon as it is complete: a later failure loses none. */
final class PictureWriter extends Console {
    private static final int LONGEST_NAME = 60;

    private final Path output; // null: named after prompt and seed
    private final int batch;
    private final Previews previews;
    private IOException failure;
    private int count;
    private Tracing tracing = Tracing.NONE;

    /**
     * When previews are written.
     *
     * @param every steps; 0 never
     * @param decoded by the VAE rather than projected
     */
    record Previews(int every, boolean decoded) {
        static final Previews NONE = new Previews(0, false);
    }

    /** @throws IOException when there is no folder to write to */
    PictureWriter(PrintWriter out, Path output, int batch, Previews previews) throws IOException {
        super(out);
        this.output = output;
        this.batch = batch;
        this.previews = previews;
        if (output != null) check(output);
        Path folder = output == null ? Path.of("") : output.toAbsolutePath().getParent();
        if (!Files.isDirectory(folder.toAbsolutePath()))
            throw new IOException(output + ": there is no folder " + folder);
    }

    /** A bad name is reported before anything is computed. */
    private static void check(Path output) throws IOException {
        String name = output.toString();
        if (name.isEmpty() || Files.isDirectory(output))
            throw new IOException((name.isEmpty() ? "the output" : name) + ": the name of a file is expected, as in"
                    + " picture.png" + (name.isEmpty() ? "" : "; this is a folder"));
        if (name.matches("(?i).*\\.(jpe?g|webp|gif|bmp|tiff?)"))
            throw new IOException(name + ": PNGs are written; expected a name that ends in .png");
    }

    void draw(StableDiffusion sd, Request asked, Tracing tracing) throws IOException {
        this.tracing = tracing;
        Request request = sd.complete(asked);
        Checkpoint checkpoint = sd.checkpoint();
        line("model " + checkpoint.name() + ": " + weights(sd) + "; seed "
                + request.noise().seed().getAsLong());
        long start = System.nanoTime();
        sd.generate(request, this);
        if (failure != null) throw failure;
        line(String.format(
                Locale.ROOT,
                "%.1f s in all (%s); %d MiB of working memory beside the weights",
                (System.nanoTime() - start) / 1e9,
                String.join(", ", phases()),
                sd.peakBytes() >> 20));
    }

    private static String weights(StableDiffusion sd) {
        if (sd.ema()) return "averaged (EMA) weights";
        return sd.checkpoint().hasEma() ? "last weights, not the averaged ones (--ema)" : "its only UNet weights";
    }

    @Override
    public void step(Step step) {
        super.step(step);
        tracing.step(step);
        if (previews.every == 0 || step.step() % previews.every != 0 || step.step() == step.steps()) return;
        Preview preview =
                previews.decoded ? step.previews().decoded() : step.previews().approximate();
        Path name = output == null ? Path.of("gyre.png") : numbered(step.picture());
        try {
            preview.write(renamed(name, ".preview"));
        } catch (IOException e) {
            if (failure == null) failure = e;
        }
    }

    @Override
    public void picture(Picture picture) {
        count++;
        Path path = output == null ? Path.of(name(picture)) : numbered(count);
        try {
            picture.write(path);
            line("wrote " + path + " (" + picture.width() + "x" + picture.height() + ", seed "
                    + picture.parameters().seed() + ")");
        } catch (IOException e) {
            if (failure == null) failure = e;
        }
    }

    /** The prompt's words and the seed. */
    private static String name(Picture picture) {
        String words = picture.parameters()
                .request()
                .text()
                .prompt()
                .toLowerCase(Locale.ROOT)
                .replaceAll("[^\\p{L}\\p{N}]+", "-")
                .replaceAll("^-|-$", "");
        if (words.length() > LONGEST_NAME) words = words.substring(0, LONGEST_NAME);
        return (words.isEmpty() ? "picture" : words) + "-"
                + picture.parameters().seed() + ".png";
    }

    private Path numbered(int number) {
        return batch == 1 ? output : renamed(output, "-" + number);
    }

    static Path renamed(Path path, String suffix) {
        String name = path.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return path.resolveSibling(dot < 0 ? name + suffix : name.substring(0, dot) + suffix + name.substring(dot));
    }
}
