package dev.gyre.diffusion.pipeline;

import dev.gyre.core.Backend;
import dev.gyre.core.Graph;
import dev.gyre.core.Shape;
import dev.gyre.diffusion.adapter.ControlNet;
import dev.gyre.diffusion.adapter.Lora;
import dev.gyre.diffusion.adapter.SafetyChecker;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.checkpoint.PublishedCheckpoint;
import dev.gyre.diffusion.family.ModelConfig;
import dev.gyre.diffusion.family.ModelOptions;
import dev.gyre.diffusion.family.NetworkPart;
import dev.gyre.diffusion.file.FileId;
import dev.gyre.diffusion.metadata.Parameters;
import dev.gyre.diffusion.metadata.Sources;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.request.Conditions;
import dev.gyre.diffusion.request.InitImage;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.settings.ModelDefaults;
import dev.gyre.diffusion.settings.Settings;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** An open model: a checkpoint's networks with their weights, on a backend. It hands the parts of the pipeline what each needs. */
public final class LoadedModel implements AutoCloseable {
    private final Checkpoint checkpoint;
    private final ModelOptions options;
    private final Backend backend;
    private final ModelConfig config;
    private final CompiledGraphs graphs;
    private final ModelWeights weights;
    private final PromptEncoder prompts;
    private Optional<SafetyChecker> checker = Optional.empty();

    /**
     * Loads a model; when that fails the checkpoint and the backend are closed.
     *
     * @throws IllegalArgumentException when the file is no supported model, or naming all tensors that are missing or misshapen
     */
    public static LoadedModel open(Checkpoint checkpoint, Backend backend, ModelOptions options) {
        try {
            return new LoadedModel(checkpoint, backend, options);
        } catch (RuntimeException | Error e) {
            backend.close();
            checkpoint.close();
            throw e;
        }
    }

    private LoadedModel(Checkpoint checkpoint, Backend backend, ModelOptions options) {
        this.checkpoint = checkpoint;
        this.options = options;
        this.backend = backend;
        if (options.ema() && !checkpoint.hasEma())
            throw new IllegalArgumentException(
                    checkpoint.name() + ": there are no averaged (EMA) weights of the UNet in this file");
        config = ModelConfig.of(checkpoint, options);
        List<String> problems = config.problems(checkpoint, options.ema());
        if (!problems.isEmpty())
            throw new IllegalArgumentException(checkpoint.described() + ": " + problems.size()
                    + " tensors are missing or of another shape:\n  " + String.join("\n  ", problems));
        graphs = new CompiledGraphs(backend);
        weights = new ModelWeights(checkpoint, config, options.ema(), graphs::close);
        prompts = new PromptEncoder(config.text(), weights, graphs);
    }

    public Checkpoint checkpoint() {
        return checkpoint;
    }

    public boolean ema() {
        return options.ema();
    }

    public Backend backend() {
        return backend;
    }

    public ModelConfig config() {
        return config;
    }

    public CompiledGraphs graphs() {
        return graphs;
    }

    public ModelWeights weights() {
        return weights;
    }

    public PromptEncoder prompts() {
        return prompts;
    }

    /** @param seamless whether opposite edges of the picture continue each other */
    public TiledVae vae(boolean seamless, Progress progress) {
        return new TiledVae(config.vae().wraps(seamless), config.latents(), weights, graphs, progress);
    }

    /** The UNet alone, for latents of this size. */
    public Denoiser denoiser(int height, int width) {
        return denoiser(Conditions.PLAIN, height, width, Progress.NONE, null);
    }

    /** @param batcher null where it runs alone */
    Denoiser denoiser(Conditions conditions, int height, int width, Progress progress, StepBatcher batcher) {
        return new Denoiser(config.unet(), factor(), weights, graphs, conditions, height, width, progress, batcher);
    }

    /** A network as it is run for a picture of this size. */
    public Graph graph(NetworkPart part, Request.Size size, int batch) {
        int height = size.height() / factor(), width = size.width() / factor();
        return switch (part) {
            case TEXT -> prompts.graph(batch, 1);
            case UNET -> denoiser(height, width).graph(batch, config.text().length());
            case DECODER -> vae(false, Progress.NONE).decoder(height, width);
            case ENCODER -> vae(false, Progress.NONE).encoder(size.height(), size.width());
        };
    }

    /** Channels of latents. */
    public int channels() {
        return config.vae().latent();
    }

    /** Pixels to a latent, in each direction. */
    public int factor() {
        return config.vae().factor();
    }

    /** The size that the model works at for a picture of this size. */
    public Request.Size generated(Request.Size size) {
        return size.within(config.defaults().largest());
    }

    /** The shape of a new picture's latents, [channels, height, width]. */
    public Shape latentShape(Request.Size size) {
        Request.Size generated = generated(size);
        return Shape.of(channels(), generated.height() / factor(), generated.width() / factor());
    }

    /** The request with this model's defaults where it leaves something empty, and a random seed if it has none. */
    public Request complete(Request request) {
        Optional<Request.Size> own =
                request.size().isPresent() ? Optional.empty() : request.start().flatMap(LoadedModel::size);
        Request complete = Settings.complete(
                own.isEmpty()
                        ? request
                        : request.size(own.get().width(), own.get().height()),
                ModelDefaults.of(config.defaults()));
        return complete.sampler(
                config.defaults().fitted(complete.sampling().sampler().orElseThrow()));
    }

    /** An initial image's own size, cut to multiples of 8; of a crop around a mask, the model's own. */
    private static Optional<Request.Size> size(InitImage start) {
        if (start.mask()
                .flatMap(mask -> mask.closeUp().stream().boxed().findFirst())
                .isPresent()) return Optional.empty();
        return Optional.of(new Request.Size(
                Math.max(8, start.image().width() / 8 * 8),
                Math.max(8, start.image().height() / 8 * 8)));
    }

    /** Forgets a LoRA and closes it. */
    public void unload(Lora lora) {
        weights.use(List.of());
        backend.release(lora.scope());
        lora.close();
    }

    /** Forgets a ControlNet and closes it. */
    public void unload(ControlNet net) {
        graphs.close();
        backend.release(net.scope());
        net.close();
    }

    Optional<SafetyChecker> checker() {
        return checker;
    }

    /** Uses another safety checker, and closes the one before. */
    public void checker(SafetyChecker checker) {
        this.checker.ifPresent(SafetyChecker::close);
        this.checker = Optional.of(checker);
    }

    /**
     * How this model makes a picture of a request.
     *
     * @param request with nothing left empty, of this picture alone
     * @param generated the size that the model worked at, where the picture was resized
     * @param checker the safety checker, if it flags the picture
     */
    Parameters parameters(Request request, Optional<Request.Size> generated, Optional<FileId> checker) {
        return new Parameters(
                request,
                generated,
                checkpoint.name(),
                PublishedCheckpoint.hash(checkpoint),
                options.ema(),
                options.prediction(),
                backend.precision(),
                weights.quantized(),
                backend.name(),
                Sources.of(request, prompts.words(), checkpoint.vae(), checker),
                Map.of());
    }

    @Override
    public void close() {
        graphs.close();
        backend.close();
        weights.close();
        checker.ifPresent(SafetyChecker::close);
        checkpoint.close();
    }
}
