package dev.gyre.diffusion;

import dev.gyre.core.Backend;
import dev.gyre.core.DType;
import dev.gyre.core.Graph;
import dev.gyre.core.Observer;
import dev.gyre.core.Precision;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.adapter.ControlNet;
import dev.gyre.diffusion.adapter.Lora;
import dev.gyre.diffusion.adapter.TextualInversion;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.checkpoint.QuantizedWeights;
import dev.gyre.diffusion.file.FileId;
import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.network.Architecture;
import dev.gyre.diffusion.network.NetworkPart;
import dev.gyre.diffusion.network.TextEncoder;
import dev.gyre.diffusion.output.CancellableProgress;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.pipeline.CompiledGraphs;
import dev.gyre.diffusion.pipeline.Denoiser;
import dev.gyre.diffusion.pipeline.Generation;
import dev.gyre.diffusion.pipeline.LatentPreview;
import dev.gyre.diffusion.pipeline.Latents;
import dev.gyre.diffusion.pipeline.ModelWeights;
import dev.gyre.diffusion.pipeline.SafetyChecker;
import dev.gyre.diffusion.pipeline.StepBatcher;
import dev.gyre.diffusion.pipeline.TiledVae;
import dev.gyre.diffusion.request.Conditions;
import dev.gyre.diffusion.request.InitImage;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Ddim;
import dev.gyre.diffusion.sampler.Sampler;
import dev.gyre.tokenizer.ClipTokenizer;
import dev.gyre.tokenizer.Prompt;
import dev.gyre.tokenizer.PromptChunk;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Stable Diffusion v1, from a prompt to pictures. A part's weights are read from the mapped file when it first runs. One drawing at
 * a time: a second caller waits.
 */
public final class StableDiffusion implements AutoCloseable {
    private static final int DEFAULT_SIZE = 512;

    private final Checkpoint checkpoint;
    private final Architecture architecture;
    private final ModelWeights weights;
    private final Backend backend;
    private final CompiledGraphs executables;
    private final boolean ema;
    private ClipTokenizer tokenizer = ClipTokenizer.load();

    private SafetyChecker checker;
    private boolean closed;
    private final Map<String, Optional<FileId>> words = new LinkedHashMap<>();

    private StableDiffusion(Checkpoint checkpoint, Backend backend, boolean ema) {
        this.checkpoint = checkpoint;
        this.backend = backend;
        executables = new CompiledGraphs(backend);
        this.ema = ema;
        if (ema && !checkpoint.hasEma())
            throw new IllegalArgumentException(
                    checkpoint.name() + ": there are no averaged (EMA) weights of the UNet in this file");
        architecture = Architecture.of(checkpoint);
        weights = new ModelWeights(checkpoint, ema);
        List<String> problems = checkpoint.problems(ema);
        if (!problems.isEmpty())
            throw new IllegalArgumentException(checkpoint.described() + ": " + problems.size()
                    + " tensors are missing or of another shape:\n  " + String.join("\n  ", problems));
    }

    /**
     * Opens a checkpoint for the CPU, with the UNet's last weights rather than averaged ones, as the original does.
     *
     * @throws IOException when the file cannot be read
     * @throws IllegalArgumentException when it is no Stable Diffusion v1, or naming all tensors that are missing or misshapen
     */
    public static StableDiffusion load(Path path) throws IOException {
        return load(Checkpoint.open(path), new JvmBackend(), false);
    }

    /** The small model that comes with Gyre, on the CPU. */
    public static StableDiffusion embedded() {
        return load(Checkpoint.embedded(), new JvmBackend(), false);
    }

    /**
     * A model from an open checkpoint.
     *
     * @param checkpoint closed with the model, or at once when this fails
     * @param backend likewise
     * @param ema whether the UNet's averaged weights are used
     */
    public static StableDiffusion load(Checkpoint checkpoint, Backend backend, boolean ema) {
        try {
            return new StableDiffusion(checkpoint, backend, ema);
        } catch (RuntimeException | Error e) {
            backend.close();
            checkpoint.close();
            throw e;
        }
    }

    /** Where its weights come from. */
    public Checkpoint checkpoint() {
        return checkpoint;
    }

    /** Whether the UNet's averaged weights are used. */
    public boolean ema() {
        return ema;
    }

    /** What products multiply. */
    public Precision precision() {
        return backend.precision();
    }

    /** What it computes on, as users name it. */
    public String backend() {
        return backend.name();
    }

    /** What it computes on, in a few words. */
    public String machine() {
        return backend.toString();
    }

    /** Whether the weights are in eight bits: {@link #quantize}. */
    public boolean quantized() {
        return weights.quantized();
    }

    /** Whether the model says of itself that it is a small one, drawn at a native size. */
    public boolean isSmall() {
        return architecture.nativeSize().isPresent();
    }

    /** The most working memory that was planned at a time so far, in bytes, beside the weights. */
    public synchronized long peakBytes() {
        return executables.peakBytes();
    }

    /** Draws one picture; of a larger batch, the first. */
    public Picture draw(Request request) {
        return draw(request.batch(1), Progress.NONE).getFirst();
    }

    /**
     * Draws a batch: each picture is the same as it would be alone with its seed.
     *
     * @throws ArithmeticException when a number of the UNet's or the decoder's is not finite, saying where
     * @throws java.util.concurrent.CancellationException when the listener says so or the thread is interrupted; pictures of the batch
     *     that were done have been handed to the listener
     */
    public synchronized List<Picture> draw(Request request, Progress progress) {
        if (closed) throw new IllegalStateException("this model is closed");
        return new Generation(this, request, progress).run();
    }

    /**
     * Draws in a thread of its own, after what is being drawn already. Cancelling what is returned ends the drawing within a step.
     *
     * @param progress told in that thread
     * @return the pictures, or what {@link #draw(Request, Progress)} would throw
     */
    public CompletableFuture<List<Picture>> drawAsync(Request request, Progress progress) {
        CompletableFuture<List<Picture>> pictures = new CompletableFuture<>();
        Progress until = new CancellableProgress(progress, pictures::isDone);
        Thread.ofPlatform().daemon().name("gyre-drawing").start(() -> {
            try {
                pictures.complete(draw(request, until));
            } catch (Throwable e) {
                pictures.completeExceptionally(e);
            }
        });
        return pictures;
    }

    /**
     * Shows an observer what the networks read and make from here on: attention, activations. It is told by the checkpoint's own names,
     * such as {@code model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2}.
     *
     * @param observer in place of the one before; {@link Observer#NONE} for no more
     */
    public synchronized void observe(Observer observer) {
        executables.observe(observer);
    }

    /**
     * A network as it is run, to look at, to count, or to compile on a backend of one's own while this model is open.
     *
     * @param size of the picture in pixels
     * @param batch pictures at once; texts for {@link NetworkPart#TEXT}; a guided step runs the UNet with two for each picture. The VAE takes one.
     */
    public synchronized Graph graph(NetworkPart part, Request.Size size, int batch) {
        int height = size.height() / factor(), width = size.width() / factor();
        return switch (part) {
            case TEXT -> textEncoder(batch, 1);
            case UNET ->
                new Denoiser(this, Conditions.PLAIN, height, width, Progress.NONE)
                        .graph(batch, architecture.text().length());
            case DECODER -> new TiledVae(this, false, Progress.NONE).decoder(height, width);
            case ENCODER -> new TiledVae(this, false, Progress.NONE).encoder(size.height(), size.width());
        };
    }

    private Graph textEncoder(int batch, int skip) {
        TextEncoder encoder = architecture.text().vocabulary(tokenizer.size());
        Graph graph = new Graph("text encoder");
        Value input = graph.input("ids", DType.I32, batch, encoder.length());
        graph.output(encoder.build(input, skip, weights().text(graph)));
        return graph;
    }

    /**
     * Draws several requests side by side: where they ask the UNet at the same time, one run answers all. Where pictures are small that
     * takes less time than one after the other; each is the same as it would be alone.
     *
     * @param listeners one for each request; told by one thread at a time
     * @return what became of each; all are done
     * @throws InterruptedException when the thread is interrupted; then so are the drawings
     */
    public List<Future<List<Picture>>> drawTogether(List<Request> requests, List<Progress> listeners)
            throws InterruptedException {
        return new StepBatcher(this).draw(requests, listeners);
    }

    /** The request with this model's defaults where it left something empty; a seed is drawn. */
    public Request complete(Request request) {
        Request.Sampling sampling = request.sampling();
        int side = architecture.nativeSize().orElse(DEFAULT_SIZE);
        Request.Size size = request.size()
                .or(() -> request.start().flatMap(StableDiffusion::size))
                .orElse(new Request.Size(side, side));
        return request.sampler(sampling.sampler().orElse(new Ddim(0)))
                .steps(sampling.steps().orElse(isSmall() ? 20 : 50))
                .guidance(sampling.guidance().orElse(isSmall() ? 5 : 7.5))
                .seed(request.noise().seed().orElseGet(() -> ThreadLocalRandom.current()
                        .nextLong(1L << 32)))
                .size(size.width(), size.height());
    }

    /** The colours that a latent of this model stands for. */
    public LatentPreview latentColours() {
        return isSmall() ? LatentPreview.SHAPES : LatentPreview.SD;
    }

    /** A picture's own size, cut to multiples of 8; what is drawn of a part of it is drawn at the model's. */
    private static Optional<Request.Size> size(InitImage start) {
        if (start.mask()
                .flatMap(mask -> mask.closeUp().stream().boxed().findFirst())
                .isPresent()) return Optional.empty();
        return Optional.of(new Request.Size(
                Math.max(8, start.image().width() / 8 * 8),
                Math.max(8, start.image().height() / 8 * 8)));
    }

    /** Channels of latents. */
    public int channels() {
        return architecture.vae().latent();
    }

    /** Pixels to a latent, in each direction. */
    public int factor() {
        return architecture.vae().factor();
    }

    /** The shape of the latents that a picture of this size, begun from noise, is drawn as: [4, height, width]. */
    public Shape latentShape(Request.Size size) {
        Request.Size drawn = drawn(size);
        return Shape.of(channels(), drawn.height() / factor(), drawn.width() / factor());
    }

    /** A small model repeats itself beyond its native size: then the longer side is drawn at that, the other to match. */
    public Request.Size drawn(Request.Size size) {
        return size.within(architecture.nativeSize().orElse(Integer.MAX_VALUE));
    }

    /**
     * The text encoder's last hidden states of texts as they stand, cut at 75 tokens.
     *
     * @return [texts, tokens, width], flat
     */
    public synchronized float[] encodeText(List<String> texts, Progress progress) {
        return encode(
                texts.stream()
                        .flatMap(text -> chunks(text, true, progress).stream())
                        .toList(),
                1);
    }

    /**
     * The text encoder's hidden states of chunks, with the weights of their tokens.
     *
     * @param skip which layer is listened to, counted from the last, 1
     * @return [chunks, tokens, width], flat
     */
    public synchronized float[] encode(List<PromptChunk> chunks, int skip) {
        TextEncoder encoder = architecture.text().vocabulary(tokenizer.size());
        if (skip < 1 || skip > encoder.layers())
            throw new IllegalArgumentException("clip skip: 1 to " + encoder.layers() + ", got " + skip);
        int length = encoder.length(), size = length * encoder.width();
        int[] ids = new int[chunks.size() * length];
        for (int i = 0; i < chunks.size(); i++) System.arraycopy(chunks.get(i).ids(), 0, ids, i * length, length);
        float[] states = executables.runOnce(
                textEncoder(chunks.size(), skip), Tensor.of(ids, chunks.size(), length), "the text encoder");
        for (int i = 0; i < chunks.size(); i++)
            weigh(states, i * size, chunks.get(i).weights(), encoder.width());
        CompiledGraphs.finite(states, "the weights in the prompt");
        return states;
    }

    /** Multiplies a chunk's rows by their weights, then all of them so that their mean is what it was, as AUTOMATIC1111 does. */
    private static void weigh(float[] states, int at, float[] weights, int width) {
        boolean even = true;
        for (float weight : weights) even &= weight == 1;
        if (even) return;
        double before = 0, after = 0;
        for (int i = 0; i < weights.length * width; i++) {
            before += states[at + i];
            states[at + i] *= weights[i / width];
            after += states[at + i];
        }
        for (int i = 0; i < weights.length * width; i++) states[at + i] *= (float) (before / after);
    }

    /** A prompt's tokens. */
    public List<PromptChunk> chunks(String text, boolean plain, Progress progress) {
        if (!plain) return tokenizer.chunks(text);
        Prompt prompt = tokenizer.tokenize(text);
        if (!prompt.cut().isEmpty())
            progress.note("the prompt is longer than " + (ClipTokenizer.LENGTH - 2) + " tokens; cut off: \""
                    + prompt.cut() + "\"");
        return List.of(new PromptChunk(prompt.ids()));
    }

    /**
     * The UNet's prediction for a batch.
     *
     * @param x [batch, 4, height, width], flat; one timestep and one text state for each
     * @param context [batch, tokens, 768], flat, as {@link #encodeText} gives it; 77 tokens or a multiple of it
     * @return [batch, 4, height, width], flat
     */
    public synchronized float[] predict(float[] x, float[] timesteps, float[] context, int height, int width) {
        return new Denoiser(this, Conditions.PLAIN, height, width, Progress.NONE)
                .predict(x, timesteps, context, List.of(), 0);
    }

    /**
     * Classifier-free guidance: the two halves, without and with the prompt, run as one batch.
     *
     * @param x [4, height, width], flat
     * @param context text states of the negative prompt, then of the prompt, as {@link #encodeText} gives them
     * @param guidance how far to go from the first prediction to the second, and beyond
     */
    public synchronized float[] guided(
            float[] x, double timestep, float[] context, int height, int width, double guidance) {
        Sampler.StepInfo at = new Sampler.StepInfo(1, 1, timestep, 0);
        return new Denoiser(this, Conditions.PLAIN, height, width, Progress.NONE).guided(x, at, context, guidance);
    }

    /**
     * The picture of a latent.
     *
     * @param latents [4, height, width], flat, at the scale the UNet works with
     * @return [3, 8·height, 8·width], flat, −1 to 1, not clamped
     */
    public synchronized float[] decode(float[] latents, int height, int width) {
        return new TiledVae(this, false, Progress.NONE).decode(latents, height, width);
    }

    /**
     * What the VAE makes of a picture.
     *
     * @param picture [3, height, width], flat, −1 to 1; sides are multiples of 8
     * @return mean, then log-variance before clamping, [2 · 4, height / 8, width / 8], flat, not scaled
     */
    public synchronized float[] encode(float[] picture, int height, int width) {
        return new TiledVae(this, false, Progress.NONE).encode(picture, height, width);
    }

    /**
     * The likeliest latents of a picture, at the scale that the UNet works with.
     *
     * @param image its sides are multiples of 8
     * @return [4, height / 8, width / 8]
     */
    public Tensor latents(Image image) {
        float[] moments = encode(image.planes(), image.height(), image.width());
        return Tensor.of(new Latents(moments).mean(), channels(), image.height() / factor(), image.width() / factor());
    }

    /**
     * Takes the weights of the UNet and the text encoder in eight bits from here on. Costs accuracy, which the result tells, and speed;
     * halves their memory.
     */
    public synchronized QuantizedWeights quantize() {
        executables.close();
        return weights.quantize();
    }

    /** Looks at every picture from here on; what it flags is handed out black. Closed with the model. Off until this is called. */
    public synchronized void safetyChecker(SafetyChecker checker) {
        if (this.checker != null) this.checker.close();
        this.checker = checker;
    }

    /** Whether the safety checker, if there is one, flags the picture. */
    public boolean flags(Image image, Progress progress) {
        if (checker == null || !checker.flags(image)) return false;
        progress.note("the safety checker flags this picture: it is black; another seed or prompt may do");
        return true;
    }

    /** The weights that the networks are built with. */
    public Optional<SafetyChecker> checker() {
        return Optional.ofNullable(checker);
    }

    /** The words that it was taught, with their files where they have any of their own. */
    public Map<String, Optional<FileId>> words() {
        return words;
    }

    /** The compiled networks. */
    public Architecture architecture() {
        return architecture;
    }

    /** The weights as the adapters in use leave them. */
    public Checkpoint.Source weights() {
        return weights.source();
    }

    /** Takes these adapters, and no others, from here on. */
    public void use(List<Conditions.Adapter> adapters) {
        if (weights.use(adapters)) executables.close();
    }

    /**
     * Teaches the text encoder a word; prompts use it from here on.
     *
     * @throws IllegalArgumentException when it was made for another text encoder, or is known already
     */
    public synchronized void add(TextualInversion word) {
        TextEncoder encoder = architecture.text();
        if (word.width() != encoder.width())
            throw new IllegalArgumentException(
                    "the word \"" + word.name() + "\" was learned for a text encoder of width " + word.width()
                            + "; that of " + checkpoint.name() + " has " + encoder.width());
        tokenizer = tokenizer.with(word.name(), word.tokens());
        weights.addTokens(word.vectors());
        words.put(word.name(), word.origin());
    }

    /**
     * Forgets a LoRA and closes it. The model's own weights were never changed.
     */
    public synchronized void unload(Lora lora) {
        use(List.of());
        backend.release(lora.scope());
        lora.close();
    }

    /**
     * Sets how much working memory to stay within, beside the weights, by cutting what can be cut.
     *
     * @param bytes else what the machine has when a drawing begins
     */
    public synchronized void room(long bytes) {
        executables.room(bytes);
    }

    /** Forgets a ControlNet and closes it. */
    public synchronized void unload(ControlNet net) {
        executables.close();
        backend.release(net.scope());
        net.close();
    }

    /** Where this model's graphs are compiled and run. */
    public CompiledGraphs executables() {
        return executables;
    }

    @Override
    public synchronized void close() {
        closed = true;
        executables.close();
        backend.close();
        weights.close();
        if (checker != null) checker.close();
        checkpoint.close();
    }
}
