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

/** One request being drawn: text, then for every picture noise, steps, decoding. */
public final class Generation {
    /** Latents of pictures that go through the UNet at once: at more, one picture keeps a processor busy as well. */
    private static final int TOGETHER = 32 * 32;

    private final LoadedModel loaded;
    private final Request request; // nothing left empty
    private final Request.Size size;
    private final Request.Size drawn;
    private final Progress progress;
    private final StepBatcher together;
    private final Sampler sampler;
    private final TiledVae vae;
    private boolean tiled; // the VAE's work
    private InitialLatents beginning;
    private Sigmas levels;
    private ClassifierFreeGuidance model;

    public Generation(LoadedModel loaded, Request request, Progress progress) {
        this(loaded, request, progress, null);
    }

    /** @param together with which others it is drawn; null draws it alone */
    Generation(LoadedModel loaded, Request request, Progress progress, StepBatcher together) {
        this.loaded = loaded;
        this.together = together;
        this.request = LoraTags.applied(loaded.complete(request));
        this.progress = progress;
        size = this.request.size().orElseThrow();
        sampler = this.request.sampling().sampler().orElseThrow();
        // A picture to begin with is drawn at the size that was asked for.
        drawn = request.start().isPresent() ? size : loaded.generated(size);
        vae = loaded.vae(request.network().tileable(), progress);
    }

    public List<Picture> run() {
        if (!drawn.equals(size) && request.hires().isEmpty())
            progress.note("this model draws at " + Math.max(drawn.width(), drawn.height()) + " pixels: drawn at "
                    + drawn + " and enlarged to " + size);
        long start = System.nanoTime();
        prepare();
        progress.done("text", since(start));

        Duration denoise = Duration.ZERO, decode = Duration.ZERO;
        List<Picture> pictures = new ArrayList<>();
        int together = together();
        for (int first = 0; first < request.batch(); first += together) {
            start = System.nanoTime();
            List<float[]> latents = denoise(first, Math.min(together, request.batch() - first));
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

    /** Reads the text and what pictures begin with. */
    public void prepare() {
        loaded.weights().use(request.network().loras());
        Request.Size largest = request.hires().map(how -> how.of(drawn)).orElse(drawn);
        boolean encodes = request.start().isPresent()
                || request.hires().filter(how -> !how.latent()).isPresent();
        tiled = vae.settle(request.network().vaeTiling(), encodes, height(largest), width(largest));
        beginning = initial(request.start(), drawn);
        levels = beginning.levels(sampler.levels(
                loaded.config().noise(), request.sampling().steps().orElseThrow()));
        model = guidance(drawn, levels);
    }

    private ClassifierFreeGuidance guidance(Request.Size pixels, Sigmas levels) {
        boolean guided = request.sampling().guidance().orElseThrow() > 1;
        Conditioning text =
                new Conditioning(loaded.prompts(), request.text(), pixels, levels.steps(), guided, progress);
        Denoiser denoiser = loaded.denoiser(request.network(), height(pixels), width(pixels), progress, together);
        return new ClassifierFreeGuidance(denoiser, loaded.config(), request, text, progress);
    }

    private InitialLatents initial(Optional<InitImage> start, Request.Size pixels) {
        ModelConfig config = loaded.config();
        return new InitialLatents(config.vae(), config.inpaints(), start, pixels, vae);
    }

    private int height(Request.Size pixels) {
        return pixels.height() / loaded.factor();
    }

    private int width(Request.Size pixels) {
        return pixels.width() / loaded.factor();
    }

    /**
     * How many pictures go through the UNet at once: small ones keep a processor busy better together. All is the same to the bit, however
     * many they are.
     */
    private int together() {
        // What lies outside a mask is one picture's.
        if (request.start().flatMap(InitImage::mask).isPresent()) return 1;
        int wanted = Math.clamp(TOGETHER / (height(drawn) * width(drawn)), 1, request.batch()), fit = wanted;
        long needed = wanted == 1 ? 0 : model.plan(wanted),
                room = loaded.graphs().room();
        while (fit > 1 && model.plan(fit) > room) fit--;
        if (fit < wanted)
            progress.note(wanted + " pictures at once take " + (needed >> 20) + " MiB of memory and " + (room >> 20)
                    + " MiB are there: " + (fit == 1 ? "one after the other" : fit + " at a time"));
        return fit;
    }

    /** Some pictures' latents, [4, height, width] each. */
    public List<float[]> denoise(int first, int count) {
        SeededNoise[] noise = new SeededNoise[count];
        double[][] states = new double[count][];
        for (int i = 0; i < count; i++) {
            noise[i] = new SeededNoise(request.noise().of(first + i));
            states[i] = beginning.state(levels, noise[i], model.denoiser());
        }
        return sample(first, model, states, levels, noise, beginning, drawn);
    }

    /** Takes all steps; the state is the pictures' states one behind the other. */
    private List<float[]> sample(
            int first,
            ClassifierFreeGuidance model,
            double[][] states,
            Sigmas levels,
            SeededNoise[] noise,
            InitialLatents beginning,
            Request.Size pixels) {
        long begin = System.nanoTime();
        int count = states.length, size = states[0].length;
        model.denoiser().begin();
        double[] state = Arrays.stream(states).flatMapToDouble(Arrays::stream).toArray();
        Sampler.Noise random = all -> {
            float[] z = new float[all];
            for (int i = 0; i < count; i++) System.arraycopy(noise[i].next(size), 0, z, i * size, size);
            return z;
        };
        StepEvent event = new StepEvent();
        event.begin();
        float[] latents = sampler.sample(model, state, levels, random, done -> {
            event.taken(first + 1, count, done);
            beginning.keep(done);
            Duration left = since(begin).dividedBy(done.step()).multipliedBy(done.steps() - done.step());
            for (int i = 0; i < count; i++) {
                double[] seen = Arrays.copyOfRange(done.denoised(), i * size, (i + 1) * size);
                progress.step(new Progress.Step(
                        first + i + 1,
                        request.batch(),
                        done.step(),
                        done.steps(),
                        done.sigma(),
                        left,
                        look(seen, pixels)));
            }
            event.begin();
        });
        return IntStream.range(0, count)
                .mapToObj(i -> Arrays.copyOfRange(latents, i * size, (i + 1) * size))
                .toList();
    }

    private Progress.Look look(double[] seen, Request.Size pixels) {
        return new Progress.Look() {
            @Override
            public Preview quick() {
                return Preview.of(loaded.config().latents().preview().picture(seen, height(pixels), width(pixels)));
            }

            @Override
            public Tensor latents() {
                float[] latents = new float[seen.length];
                for (int j = 0; j < latents.length; j++) latents[j] = (float) seen[j];
                return tensor(latents, pixels);
            }

            @Override
            public Preview decoded() {
                return Preview.of(Generation.this.decoded(latents().floats(), pixels));
            }
        };
    }

    private Picture picture(int i, float[] latents) {
        Request.Size pixels = request.hires().map(how -> how.of(drawn)).orElse(drawn);
        float[] last = request.hires().map(how -> second(i, latents, how)).orElse(latents);
        progress.latents(i + 1, tensor(last, pixels));
        Image decoded = decoded(last, pixels);
        Image image = request.hires().isPresent() ? decoded : decoded.resize(size.width(), size.height());
        Image finished = beginning.finish(image);
        Optional<SafetyChecker> flagging = loaded.checker().filter(checker -> checker.flags(finished));
        if (flagging.isPresent())
            progress.note("the safety checker flags this picture: it is black; another seed or prompt may do");
        Request alone = request.with(request.noise().of(i))
                .batch(1)
                .with(request.network().vaeTiling(tiled));
        Parameters parameters = loaded.parameters(
                alone, drawn.equals(size) ? Optional.empty() : Optional.of(drawn), flagging.map(SafetyChecker::origin));
        return Picture.of(flagging.isPresent() ? finished.black() : finished, parameters);
    }

    private Tensor tensor(float[] latents, Request.Size pixels) {
        return Tensor.of(latents, loaded.channels(), height(pixels), width(pixels));
    }

    private Image decoded(float[] latents, Request.Size pixels) {
        check(progress);
        return Image.ofPlanes(vae.decode(latents, height(pixels), width(pixels)), pixels.width(), pixels.height());
    }

    /** Enlarged and gone over again, as latents. */
    public float[] second(int i, float[] latents, HiresFix how) {
        Request.Size large = how.of(drawn);
        int steps = how.steps().orElse(request.sampling().steps().orElseThrow());
        Sigmas levels = InitialLatents.last(sampler.levels(loaded.config().noise(), steps), how.strength());
        SeededNoise noise = new SeededNoise(request.noise().of(i));
        float[] clean = enlarged(latents, large, how.latent(), noise);
        double[] state = levels.start(clean, noise.initial(loaded.channels(), height(large), width(large)));
        ClassifierFreeGuidance again = guidance(large, levels);
        InitialLatents free = initial(Optional.empty(), large);
        free.beside(again.denoiser());
        return sample(i, again, new double[][] {state}, levels, new SeededNoise[] {noise}, free, large)
                .get(0);
    }

    private float[] enlarged(float[] latents, Request.Size large, boolean asLatents, SeededNoise noise) {
        if (asLatents)
            return Bilinear.resize(
                    latents, loaded.channels(), height(drawn), width(drawn), height(large), width(large));
        Image picture = decoded(latents, drawn).resize(large.width(), large.height());
        return vae.distribution(picture.planes(), large.height(), large.width()).sample(noise);
    }

    /** @throws CancellationException when the listener wants no more, or the thread is interrupted */
    static void check(Progress progress) {
        if (progress.cancelled()) throw new CancellationException("cancelled");
        if (Thread.interrupted()) throw new CancellationException("interrupted");
    }

    private static Duration since(long start) {
        return Duration.ofNanos(System.nanoTime() - start);
    }
}
