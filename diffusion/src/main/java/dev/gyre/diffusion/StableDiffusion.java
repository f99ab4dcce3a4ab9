package dev.gyre.diffusion;

import dev.gyre.core.Backend;
import dev.gyre.core.Graph;
import dev.gyre.core.Observer;
import dev.gyre.core.Precision;
import dev.gyre.core.Shape;
import dev.gyre.core.Tensor;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.adapter.ControlNet;
import dev.gyre.diffusion.adapter.Lora;
import dev.gyre.diffusion.adapter.SafetyChecker;
import dev.gyre.diffusion.adapter.ScaledLora;
import dev.gyre.diffusion.adapter.TextualInversion;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.checkpoint.QuantizedWeights;
import dev.gyre.diffusion.family.ModelOptions;
import dev.gyre.diffusion.family.NetworkPart;
import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.pipeline.Background;
import dev.gyre.diffusion.pipeline.Condition;
import dev.gyre.diffusion.pipeline.Generation;
import dev.gyre.diffusion.pipeline.LoadedModel;
import dev.gyre.diffusion.pipeline.StepBatcher;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Prediction;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;

/**
 * A Stable Diffusion model: generates pictures from prompts. A network's weights are read from the mapped file when it first runs. One
 * request runs at a time; a second caller waits.
 */
public final class StableDiffusion implements AutoCloseable {
    private final LoadedModel model;
    private boolean closed;

    private StableDiffusion(LoadedModel model) {
        this.model = model;
    }

    /**
     * Opens a checkpoint for the CPU, with the UNet's last weights rather than averaged ones, as the original does.
     *
     * @throws IOException when the file cannot be read
     * @throws IllegalArgumentException when it is no supported model, or lacks tensors, naming all
     */
    public static StableDiffusion load(Path path) throws IOException {
        return load(Checkpoint.open(path), new JvmBackend());
    }

    /** The small model that comes with Gyre, on the CPU. */
    public static StableDiffusion embedded() {
        return load(Checkpoint.embedded(), new JvmBackend());
    }

    /** A model from an open checkpoint. Both are closed with the model, or at once when this fails. */
    public static StableDiffusion load(Checkpoint checkpoint, Backend backend) {
        return load(checkpoint, backend, ModelOptions.DEFAULT);
    }

    /** Likewise, with options that say how the checkpoint is to be read. */
    public static StableDiffusion load(Checkpoint checkpoint, Backend backend, ModelOptions options) {
        return new StableDiffusion(LoadedModel.open(checkpoint, backend, options));
    }

    /** For tests of the pipeline's parts. */
    LoadedModel model() {
        return model;
    }

    /** Where its weights come from. */
    public Checkpoint checkpoint() {
        return model.checkpoint();
    }

    /** Whether the UNet's averaged weights are used. */
    public boolean ema() {
        return model.ema();
    }

    /** What the UNet predicts, and {@link #predict} and {@link #guided} return. */
    public Prediction prediction() {
        return model.config().prediction();
    }

    /** The type of matrix multiplications. */
    public Precision precision() {
        return model.backend().precision();
    }

    /** The backend's name, as {@code jvm}. */
    public String backend() {
        return model.backend().name();
    }

    /** The processor or device, in a few words. */
    public String device() {
        return model.backend().toString();
    }

    /** Whether the weights are quantized: {@link #quantize}. */
    public boolean quantized() {
        return model.weights().quantized();
    }

    /** The largest working memory planned so far, in bytes, beside the weights. */
    public synchronized long peakBytes() {
        return model.graphs().peakBytes();
    }

    /** Generates one picture; of a larger batch, the first. */
    public Picture generate(Request request) {
        return generate(request.batch(1), Progress.NONE).getFirst();
    }

    /**
     * Generates a batch: each picture is the same as it would be alone with its seed.
     *
     * @throws ArithmeticException when the UNet or the decoder gives NaN or infinity, saying where it first appears
     * @throws java.util.concurrent.CancellationException when the listener says so or the thread is interrupted; pictures of the batch
     *     that were done have been handed to the listener
     */
    public synchronized List<Picture> generate(Request request, Progress progress) {
        if (closed) throw new IllegalStateException("this model is closed");
        return new Generation(model, request, progress).run();
    }

    /**
     * Generates a batch in a thread of its own, after the requests that are running or waiting. Cancelling the future ends the request
     * within a step.
     *
     * @param progress is called in that thread
     * @return the pictures, or what {@link #generate(Request, Progress)} would throw
     */
    public CompletableFuture<List<Picture>> generateAsync(Request request, Progress progress) {
        return Background.run(cancellable -> generate(request, cancellable), progress);
    }

    /**
     * Runs several requests side by side: where they need the UNet at the same time, one run serves all. Where pictures are small that
     * takes less time than one after the other; each picture is the same as it would be alone.
     *
     * @param listeners one for each request; called by one thread at a time
     * @return the results; all are done
     * @throws InterruptedException when the thread is interrupted; then the requests are cancelled
     */
    public List<Future<List<Picture>>> generateTogether(List<Request> requests, List<Progress> listeners)
            throws InterruptedException {
        return new StepBatcher(model, this).generate(requests, listeners);
    }

    /** The request with this model's defaults where it leaves something empty, and a random seed if it has none. */
    public Request complete(Request request) {
        return model.complete(request);
    }

    /** The shape of the latents of a picture of this size that starts from noise: [4, height, width]. */
    public Shape latentShape(Request.Size size) {
        return model.latentShape(size);
    }

    /**
     * Shows an observer what the networks read and compute from here on: attention, activations. Layers go by the checkpoint's own names,
     * such as {@code model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2}.
     *
     * @param observer in place of the one before; {@link Observer#NONE} for no more
     */
    public synchronized void observe(Observer observer) {
        model.graphs().observe(observer);
    }

    /**
     * A network as it is run, to inspect, to count, or to compile on a backend of one's own while this model is open.
     *
     * @param size of the picture in pixels
     * @param batch pictures at once; texts for {@link NetworkPart#TEXT}; a guided step runs the UNet with two for each picture. The VAE
     *     takes one.
     */
    public synchronized Graph graph(NetworkPart part, Request.Size size, int batch) {
        return model.graph(part, size, batch);
    }

    /**
     * The text encoder's last hidden states of texts as they stand, cut at 75 tokens.
     *
     * @return [texts, tokens, width], flat
     */
    public synchronized float[] encodeText(List<String> texts, Progress progress) {
        return model.prompts().encode(texts, progress);
    }

    /**
     * The UNet's prediction for a batch.
     *
     * @param x [batch, 4, height, width], flat; one timestep and one text state for each
     * @param context [batch, tokens, 768], flat, as {@link #encodeText} gives it; 77 tokens or a multiple of it
     * @return [batch, 4, height, width], flat
     */
    public synchronized float[] predict(float[] x, float[] timesteps, float[] context, int height, int width) {
        return model.denoiser(height, width).predict(x, timesteps, Condition.of(context), List.of(), 0);
    }

    /**
     * Classifier-free guidance: the two halves, without and with the prompt, run as one batch.
     *
     * @param x [4, height, width], flat
     * @param context text states of the negative prompt, then of the prompt, as {@link #encodeText} gives them
     * @param guidance the scale: 0 gives the first prediction, 1 the second
     */
    public synchronized float[] guided(
            float[] x, double timestep, float[] context, int height, int width, double guidance) {
        return model.denoiser(height, width).guided(x, timestep, Condition.of(context), guidance);
    }

    /**
     * The picture of a latent.
     *
     * @param latents [4, height, width], flat, at the scale the UNet works with
     * @return [3, 8·height, 8·width], flat, −1 to 1, not clamped
     */
    public synchronized float[] decode(float[] latents, int height, int width) {
        return model.vae(false, Progress.NONE).decode(latents, height, width);
    }

    /**
     * The VAE's distribution of a picture's latents.
     *
     * @param picture [3, height, width], flat, −1 to 1; sides are multiples of 8
     * @return mean, then log-variance before clamping, [2 · 4, height / 8, width / 8], flat, not scaled
     */
    public synchronized float[] encode(float[] picture, int height, int width) {
        return model.vae(false, Progress.NONE).encode(picture, height, width);
    }

    /**
     * The mean of a picture's latents, at the scale that the UNet works with.
     *
     * @param image its sides are multiples of 8
     * @return [4, height / 8, width / 8]
     */
    public synchronized Tensor latents(Image image) {
        return model.vae(false, Progress.NONE).latents(image);
    }

    /**
     * Quantizes the weights of the UNet and the text encoder to 8 bits from here on. That costs accuracy, which the result tells, and
     * speed; it halves their memory.
     */
    public synchronized QuantizedWeights quantize() {
        return model.weights().quantize();
    }

    /** Runs every picture past this safety checker from here on; a flagged one is returned black. It is closed with the model. */
    public synchronized void safetyChecker(SafetyChecker checker) {
        model.checker(checker);
    }

    /** Applies these LoRAs, and no others, from here on; a request applies its own. */
    public synchronized void use(List<ScaledLora> loras) {
        model.weights().use(loras);
    }

    /**
     * Adds a learned word to the vocabulary of prompts.
     *
     * @throws IllegalArgumentException when it was trained for another text encoder, or is known already
     */
    public synchronized void add(TextualInversion word) {
        model.prompts().add(word);
    }

    /** Forgets a LoRA and closes it. The model's own weights were never changed. */
    public synchronized void unload(Lora lora) {
        model.unload(lora);
    }

    /** Forgets a ControlNet and closes it. */
    public synchronized void unload(ControlNet net) {
        model.unload(net);
    }

    /** Limits working memory, beside the weights: what does not fit runs in parts. The default is what the machine has available. */
    public synchronized void memoryLimit(long bytes) {
        model.graphs().memoryLimit(bytes);
    }

    @Override
    public synchronized void close() {
        closed = true;
        model.close();
    }
}
