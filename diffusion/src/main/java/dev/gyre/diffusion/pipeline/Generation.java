package dev.gyre.diffusion.pipeline;

import dev.gyre.core.Tensor;
import dev.gyre.diffusion.adapter.SafetyChecker;
import dev.gyre.diffusion.family.ModelConfig;
import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.metadata.Parameters;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.output.Preview;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.output.StepEvent;
import dev.gyre.diffusion.prompt.LoraTags;
import dev.gyre.diffusion.request.HiresFix;
import dev.gyre.diffusion.request.InitImage;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Sampler;
import dev.gyre.diffusion.sampler.Sigmas;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.stream.IntStream;

/** Generates the pictures of one request: text, then for every picture noise, steps, decoding. */
public final class Generation {
    /** Latents that go through the UNet at once: one picture of more keeps a processor busy by itself. */
    private static final int GROUP = 32 * 32;

    private final LoadedModel model;
    private final Request request; // nothing left empty
    private final Request.Size size;
    private final Request.Size generated;
    private final Progress progress;
    private final StepBatcher batcher;
    private final Sampler sampler;
    private final TiledVae vae;
    private boolean tiled; // the VAE works in tiles
    private InitialLatents initial;
    private Sigmas sigmas;
    private ClassifierFreeGuidance guided;

    public Generation(LoadedModel model, Request request, Progress progress) {
        this(model, request, progress, null);
    }

    /** @param batcher runs it together with other requests; null runs it alone */
    Generation(LoadedModel model, Request request, Progress progress, StepBatcher batcher) {
        this.model = model;
        this.batcher = batcher;
        this.request = LoraTags.applied(model.complete(request));
        this.progress = progress;
        size = this.request.size().orElseThrow();
        sampler = this.request.sampling().sampler().orElseThrow();
        // An initial image is worked on at the requested size.
        generated = request.start().isPresent() ? size : model.generated(size);
        vae = model.vae(request.network().tileable(), progress);
    }

    public List<Picture> run() {
        if (!generated.equals(size) && request.hires().isEmpty())
            progress.note("this model works at " + Math.max(generated.width(), generated.height())
                    + " pixels: generated at " + generated + " and resized to " + size);
        long start = System.nanoTime();
        prepare();
        progress.done("text", since(start));

        Duration denoise = Duration.ZERO, decode = Duration.ZERO;
        List<Picture> pictures = new ArrayList<>();
        int group = picturesAtOnce();
        for (int first = 0; first < request.batch(); first += group) {
            start = System.nanoTime();
            List<float[]> latents = denoise(first, Math.min(group, request.batch() - first));
            denoise = denoise.plus(since(start));
            for (float[] one : latents) {
                start = System.nanoTime();
                pictures.add(picture(pictures.size(), one));
                decode = decode.plus(since(start));
                progress.picture(pictures.getLast());
            }
        }
        progress.done("denoise", denoise);
        progress.done("decode", decode);
        return pictures;
    }

    /** Encodes the text and the initial image. */
    public void prepare() {
        model.weights().use(request.network().loras());
        Request.Size largest = request.hires().map(how -> how.of(generated)).orElse(generated);
        boolean encodes = request.start().isPresent()
                || request.hires().filter(how -> !how.latent()).isPresent();
        tiled = vae.settle(request.network().vaeTiling(), encodes, height(largest), width(largest));
        initial = initial(request.start(), generated);
        sigmas = initial.levels(sampler.levels(
                model.config().noise(), request.sampling().steps().orElseThrow()));
        guided = guidance(generated, sigmas);
    }

    private ClassifierFreeGuidance guidance(Request.Size pixels, Sigmas sigmas) {
        boolean guided = request.sampling().guidance().orElseThrow() > 1;
        Conditioning text = new Conditioning(model.prompts(), request.text(), pixels, sigmas.steps(), guided, progress);
        Denoiser denoiser = model.denoiser(request.network(), height(pixels), width(pixels), progress, batcher);
        return new ClassifierFreeGuidance(denoiser, model.config(), request, text, progress);
    }

    private InitialLatents initial(Optional<InitImage> start, Request.Size pixels) {
        ModelConfig config = model.config();
        return new InitialLatents(config.vae(), config.inpaints(), start, pixels, vae);
    }

    private int height(Request.Size pixels) {
        return pixels.height() / model.factor();
    }

    private int width(Request.Size pixels) {
        return pixels.width() / model.factor();
    }

    /**
     * How many pictures go through the UNet at once: several small ones keep a processor busier. The number does not change a bit of any
     * picture.
     */
    private int picturesAtOnce() {
        // Each picture has its own latents outside a mask.
        if (request.start().flatMap(InitImage::mask).isPresent()) return 1;
        int wanted = Math.clamp(GROUP / (height(generated) * width(generated)), 1, request.batch()), fit = wanted;
        long needed = wanted == 1 ? 0 : guided.plan(wanted),
                room = model.graphs().availableMemory();
        while (fit > 1 && guided.plan(fit) > room) fit--;
        if (fit < wanted)
            progress.note(wanted + " pictures at once take " + (needed >> 20) + " MiB of memory and " + (room >> 20)
                    + " MiB are there: " + (fit == 1 ? "one after the other" : fit + " at a time"));
        return fit;
    }

    /** The latents of {@code count} pictures, [4, height, width] each. */
    public List<float[]> denoise(int first, int count) {
        SeededNoise[] noise = new SeededNoise[count];
        double[][] states = new double[count][];
        for (int i = 0; i < count; i++) {
            noise[i] = new SeededNoise(request.noise().of(first + i));
            states[i] = initial.state(sigmas, noise[i], guided.denoiser());
        }
        return sample(first, guided, states, sigmas, noise, initial, generated);
    }

    /** Takes all steps; the state is the concatenation of the pictures' states. */
    private List<float[]> sample(
            int first,
            ClassifierFreeGuidance guided,
            double[][] states,
            Sigmas sigmas,
            SeededNoise[] noise,
            InitialLatents initial,
            Request.Size pixels) {
        long begin = System.nanoTime();
        int count = states.length, size = states[0].length;
        guided.denoiser().begin();
        double[] state = Arrays.stream(states).flatMapToDouble(Arrays::stream).toArray();
        Sampler.Noise random = all -> {
            float[] z = new float[all];
            for (int i = 0; i < count; i++) System.arraycopy(noise[i].next(size), 0, z, i * size, size);
            return z;
        };
        StepEvent event = new StepEvent();
        event.begin();
        float[] latents = sampler.sample(guided, state, sigmas, random, done -> {
            event.taken(first + 1, count, done);
            initial.restoreUnmasked(done);
            Duration left = since(begin).dividedBy(done.step()).multipliedBy(done.steps() - done.step());
            for (int i = 0; i < count; i++) {
                double[] denoised = Arrays.copyOfRange(done.denoised(), i * size, (i + 1) * size);
                progress.step(new Progress.Step(
                        first + i + 1,
                        request.batch(),
                        done.step(),
                        done.steps(),
                        done.sigma(),
                        left,
                        previews(denoised, pixels)));
            }
            event.begin();
        });
        return IntStream.range(0, count)
                .mapToObj(i -> Arrays.copyOfRange(latents, i * size, (i + 1) * size))
                .toList();
    }

    private Progress.Previews previews(double[] denoised, Request.Size pixels) {
        return new Progress.Previews() {
            @Override
            public Preview approximate() {
                return Preview.of(model.config().latents().preview().picture(denoised, height(pixels), width(pixels)));
            }

            @Override
            public Tensor latents() {
                float[] latents = new float[denoised.length];
                for (int j = 0; j < latents.length; j++) latents[j] = (float) denoised[j];
                return tensor(latents, pixels);
            }

            @Override
            public Preview decoded() {
                return Preview.of(Generation.this.decoded(latents().floats(), pixels));
            }
        };
    }

    private Picture picture(int i, float[] latents) {
        Request.Size pixels = request.hires().map(how -> how.of(generated)).orElse(generated);
        float[] last = request.hires().map(how -> hires(i, latents, how)).orElse(latents);
        progress.latents(i + 1, tensor(last, pixels));
        Image decoded = decoded(last, pixels);
        Image image = request.hires().isPresent() ? decoded : decoded.resize(size.width(), size.height());
        Image finished = initial.composite(image);
        Optional<SafetyChecker> flagging = model.checker().filter(checker -> checker.flags(finished));
        if (flagging.isPresent())
            progress.note("the safety checker flags this picture: it is black; try another seed or prompt");
        Request alone = request.with(request.noise().of(i))
                .batch(1)
                .with(request.network().vaeTiling(tiled));
        Parameters parameters = model.parameters(
                alone,
                generated.equals(size) ? Optional.empty() : Optional.of(generated),
                flagging.map(SafetyChecker::origin));
        return Picture.of(flagging.isPresent() ? finished.blackened() : finished, parameters);
    }

    private Tensor tensor(float[] latents, Request.Size pixels) {
        return Tensor.of(latents, model.channels(), height(pixels), width(pixels));
    }

    private Image decoded(float[] latents, Request.Size pixels) {
        check(progress);
        return Image.ofPlanes(vae.decode(latents, height(pixels), width(pixels)), pixels.width(), pixels.height());
    }

    /** The second pass of the hires fix: latents enlarged and denoised again. */
    public float[] hires(int i, float[] latents, HiresFix how) {
        Request.Size large = how.of(generated);
        int steps = how.steps().orElse(request.sampling().steps().orElseThrow());
        Sigmas sigmas = InitialLatents.last(sampler.levels(model.config().noise(), steps), how.strength());
        SeededNoise noise = new SeededNoise(request.noise().of(i));
        float[] clean = enlarged(latents, large, how.latent(), noise);
        double[] state = sigmas.start(clean, noise.initial(model.channels(), height(large), width(large)));
        ClassifierFreeGuidance again = guidance(large, sigmas);
        InitialLatents free = initial(Optional.empty(), large);
        free.paintEverything(again.denoiser());
        return sample(i, again, new double[][] {state}, sigmas, new SeededNoise[] {noise}, free, large)
                .get(0);
    }

    private float[] enlarged(float[] latents, Request.Size large, boolean asLatents, SeededNoise noise) {
        if (asLatents)
            return Bilinear.resize(
                    latents, model.channels(), height(generated), width(generated), height(large), width(large));
        Image picture = decoded(latents, generated).resize(large.width(), large.height());
        return vae.distribution(picture.planes(), large.height(), large.width()).sample(noise);
    }

    /** @throws CancellationException when the listener cancels, or the thread is interrupted */
    static void check(Progress progress) {
        if (progress.cancelled()) throw new CancellationException("cancelled");
        if (Thread.interrupted()) throw new CancellationException("interrupted");
    }

    private static Duration since(long start) {
        return Duration.ofNanos(System.nanoTime() - start);
    }
}
