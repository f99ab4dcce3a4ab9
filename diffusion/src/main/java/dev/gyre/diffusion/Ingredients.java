package dev.gyre.diffusion;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The files of a {@link Recipe}, found and open: with them a picture's request is whole again. */
public final class Ingredients implements AutoCloseable {
    /** Says where a file lies now. */
    @FunctionalInterface
    public interface Finder {
        /** @throws IOException naming the file, when it is not found */
        Path find(Origin file) throws IOException;
    }

    private final List<AutoCloseable> open = new ArrayList<>();
    private final List<TextualInversion> words = new ArrayList<>();
    private Request request;

    private Ingredients(Request request) {
        this.request = request;
    }

    /**
     * Opens what a picture was made of.
     *
     * @throws IOException when a file is not found or cannot be read
     * @throws IllegalArgumentException when one is not what it was
     */
    public static Ingredients open(Parameters parameters, Finder finder) throws IOException {
        Ingredients all = new Ingredients(parameters.request());
        try {
            all.find(parameters.recipe(), finder);
            return all;
        } catch (IOException | RuntimeException | Error e) {
            all.close();
            throw e;
        }
    }

    private void find(Recipe recipe, Finder finder) throws IOException {
        if (recipe.start().isPresent())
            request = request.with(start(recipe.start().get(), finder));
        Network network = request.network();
        for (Recipe.Adapter one : recipe.loras()) {
            Lora lora = Lora.open(finder.find(one.lora()));
            open.add(lora);
            words.addAll(lora.words());
            network = network.lora(lora, one.strength());
        }
        for (Recipe.Control one : recipe.controls()) {
            Image image = Image.read(finder.find(one.image()));
            ControlNet net = ControlNet.open(finder.find(one.net()));
            open.add(net);
            network = network.control(new Network.Control(net, image, one.weight(), one.part()));
        }
        for (Origin word : recipe.words()) words.addAll(TextualInversion.open(finder.find(word)));
        request = request.with(network);
    }

    private static Start start(Recipe.Begun begun, Finder finder) throws IOException {
        Image image = Image.read(finder.find(begun.image()));
        Start start = begun.outpaint().isPresent()
                ? Start.of(Start.Outpaint.parse(image, begun.outpaint().get()))
                : Start.of(image);
        start = start.strength(begun.strength());
        if (begun.mask().isEmpty()) return start;
        Recipe.Mask how = begun.mask().get();
        Optional<Start.Mask> made = start.mask(); // by outpainting
        Start.Mask mask = how.image().isPresent()
                ? Start.Mask.of(Image.read(finder.find(how.image().get())))
                : made.orElseThrow(() -> new IOException("the parameters have a mask's blur and no mask"));
        mask = mask.blur(how.blur());
        return start.mask(how.closeUp().isPresent() ? mask.closeUp(how.closeUp().getAsInt()) : mask);
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
