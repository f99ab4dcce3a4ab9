package dev.gyre.cli;

import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.adapter.ControlNet;
import dev.gyre.diffusion.adapter.Lora;
import dev.gyre.diffusion.adapter.ScaledLora;
import dev.gyre.diffusion.adapter.TextualInversion;
import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.prompt.LoraTags;
import dev.gyre.diffusion.request.Conditions;
import dev.gyre.diffusion.request.Request;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** LoRAs, ControlNets and textual inversions; keeps the files that it opens until it is closed. */
final class NetworkOptions implements AutoCloseable {
    /** How deep the folder of LoRAs is searched. */
    private static final int DEPTH = 8;

    @Option(
            names = "--lora",
            paramLabel = "FILE[:STRENGTH]",
            description = "LoRA or LoCon, as in style.safetensors:0.8; repeatable. (default strength: 1)")
    private List<String> loras = List.of();

    @Option(
            names = "--lora-dir",
            paramLabel = "FOLDER",
            description = "Folder of the LoRAs that the prompt names, as in <lora:style:0.8>.")
    private Path loraFolder;

    @Option(
            names = "--embedding",
            paramLabel = "FILE",
            description = "Textual inversion; prompts use its file name or its token; repeatable.")
    private List<Path> embeddings = List.of();

    @Option(
            names = "--control",
            paramLabel = "FILE:IMAGE[:WEIGHT[:FROM-TO]]",
            description = "ControlNet, its control image, weight and fraction of the steps, as in"
                    + " canny.safetensors:edges.png:0.8:0-0.6; repeatable. (default: weight 1, all steps)")
    private List<String> controls = List.of();

    @Option(names = "--lora-model-dir", hidden = true)
    private void loraModelDir(Path folder) {
        if (folder != null) loraFolder = folder;
    }

    private final List<AutoCloseable> open = new ArrayList<>();

    /**
     * What a request has, with what is added. The files are opened: what is wrong with one is said before a large model is loaded.
     *
     * @throws IllegalArgumentException naming the option that makes no sense
     */
    Conditions added(Request request) throws IOException {
        Conditions network = request.network();
        for (String one : loras) {
            String[] parts = split(one, 2);
            double strength = number("lora", one, parts, 1, 1);
            network = network.lora(lora(Path.of(parts[0])), strength);
        }
        for (Path file : asked(request.text(), network)) network = network.lora(lora(file), 1);
        for (String one : controls) network = network.control(control(one));
        return network;
    }

    private Lora lora(Path file) throws IOException {
        Lora lora = opened(() -> Lora.open(file));
        open.add(lora);
        return lora;
    }

    /** Files of the LoRAs that a prompt names and no option gives. */
    private List<Path> asked(Request.Text text, Conditions given) throws IOException {
        List<Path> files = new ArrayList<>();
        if (text.plain()) return files;
        for (String name : LoraTags.of(text.prompt()).strengths().keySet()) {
            if (given.loras().stream().anyMatch(one -> one.lora().name().equals(name))) continue;
            if (loraFolder == null)
                throw new IllegalArgumentException("lora-dir: needed for the LoRA \"" + name
                        + "\", which the prompt asks for; or give its file with --lora");
            if (!Files.isDirectory(loraFolder)) throw new IOException(loraFolder + ": there is no such folder");
            List<Path> found;
            try (Stream<Path> all = Files.find(
                    loraFolder, DEPTH, (path, what) -> path.endsWith(name + ".safetensors") && what.isRegularFile())) {
                found = all.toList();
            }
            if (found.size() != 1)
                throw new IOException(loraFolder + ": the prompt asks for the LoRA \"" + name + "\": expected one file "
                        + name + ".safetensors, found " + (found.isEmpty() ? "none" : found));
            files.add(found.getFirst());
        }
        return files;
    }

    private Conditions.Control control(String one) throws IOException {
        String[] parts = split(one, 4);
        if (parts.length < 2)
            throw new IllegalArgumentException(
                    "control: a ControlNet and a picture as in canny.safetensors:edges.png, got " + one);
        Image image = Image.read(Path.of(parts[1]));
        ControlNet net = opened(() -> ControlNet.open(Path.of(parts[0])));
        open.add(net);
        Request.StepRange part = parts.length > 3 ? Request.StepRange.parse(parts[3]) : Request.StepRange.WHOLE;
        return new Conditions.Control(net, image, number("control", one, parts, 2, 1), part);
    }

    private interface Opening<T> {
        T open() throws IOException;
    }

    /** What is wrong with a file is not the option's fault. */
    private static <T> T opened(Opening<T> opening) throws IOException {
        try {
            return opening.open();
        } catch (IllegalArgumentException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /** At colons; one behind a drive's letter is the path's. */
    static String[] split(String text, int most) {
        boolean drive = text.matches("[A-Za-z]:[\\\\/].*");
        String[] parts = (drive ? text.substring(2) : text).split(":", most);
        if (drive) parts[0] = text.substring(0, 2) + parts[0];
        return parts;
    }

    static double number(String option, String all, String[] parts, int i, double otherwise) {
        if (i >= parts.length) return otherwise;
        try {
            return Double.parseDouble(parts[i]);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(option + ": a number, got \"" + parts[i] + "\" in " + all, e);
        }
    }

    /** Adds the textual inversions to the model, those that come with LoRAs included. */
    void teach(StableDiffusion sd, Conditions network, Progress progress) throws IOException {
        List<TextualInversion> words = new ArrayList<>();
        for (Path path : embeddings) words.addAll(TextualInversion.open(path));
        for (ScaledLora adapter : network.loras()) words.addAll(adapter.lora().words());
        for (TextualInversion word : words) {
            sd.add(word);
            progress.note("the word \"" + word.name() + "\" is known: " + word.tokens() + " tokens");
        }
    }

    @Override
    public void close() {
        for (AutoCloseable one : open)
            if (one instanceof Lora lora) lora.close();
            else if (one instanceof ControlNet net) net.close();
    }
}
