package dev.gyre.diffusion.metadata;

import dev.gyre.diffusion.adapter.ControlNet;
import dev.gyre.diffusion.adapter.Lora;
import dev.gyre.diffusion.adapter.TextualInversion;
import dev.gyre.diffusion.file.FileId;
import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.request.Conditions;
import dev.gyre.diffusion.request.InitImage;
import dev.gyre.diffusion.request.Request;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The files of a {@link Sources}, found and open: with them a picture's request is whole again. */
public final class OpenSources implements AutoCloseable {
    /** Says where a file lies now. */
    @FunctionalInterface
    public interface Finder {
        /** @throws IOException naming the file, when it is not found */
        Path find(FileId file) throws IOException;
    }

    private final List<AutoCloseable> open = new ArrayList<>();
    private final List<TextualInversion> words = new ArrayList<>();
    private Request request;

    private OpenSources(Request request) {
        this.request = request;
    }

    /**
     * Opens what a picture was made of.
     *
     * @throws IOException when a file is not found or cannot be read
     * @throws IllegalArgumentException when one is not what it was
     */
    public static OpenSources open(Parameters parameters, Finder finder) throws IOException {
        OpenSources all = new OpenSources(parameters.request());
        try {
            all.find(parameters.recipe(), finder);
            return all;
        } catch (IOException | RuntimeException | Error e) {
            all.close();
            throw e;
        }
    }

    private void find(Sources recipe, Finder finder) throws IOException {
        if (recipe.start().isPresent())
            request = started(request, recipe.start().get(), finder);
        Conditions network = request.network();
        for (Sources.Adapter one : recipe.loras()) {
            Lora lora = Lora.open(finder.find(one.lora()));
            open.add(lora);
            words.addAll(lora.words());
            network = network.lora(lora, one.strength());
        }
        for (Sources.Control one : recipe.controls()) {
            Image image = Image.read(finder.find(one.image()));
            ControlNet net = ControlNet.open(finder.find(one.net()));
            open.add(net);
            network = network.control(new Conditions.Control(net, image, one.weight(), one.part()));
        }
        for (FileId word : recipe.words()) words.addAll(TextualInversion.open(finder.find(word)));
        request = request.with(network);
    }

    private static Request started(Request request, Sources.Begun begun, Finder finder) throws IOException {
        InitImage start = InitImage.of(Image.read(finder.find(begun.image())));
        if (begun.mask().isPresent())
            start = start.mask(
                    InitImage.Mask.of(Image.read(finder.find(begun.mask().get()))));
        return begun.settings().apply(request.with(start));
    }

    /** What to draw, with all that it needs. */
    public Request request() {
        return request;
    }

    /** Words to teach the model first. */
    public List<TextualInversion> words() {
        return List.copyOf(words);
    }

    @Override
    public void close() {
        for (AutoCloseable one : open)
            if (one instanceof Lora lora) lora.close();
            else if (one instanceof ControlNet net) net.close();
    }
}
