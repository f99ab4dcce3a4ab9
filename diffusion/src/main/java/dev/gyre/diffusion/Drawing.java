package dev.gyre.diffusion;

import dev.gyre.diffusion.sampler.Levels;
import dev.gyre.diffusion.sampler.Sampler;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;

/** One request being drawn: text, then for every picture noise, steps, decoding. */
final class Drawing {
    private final StableDiffusion sd;
    private final Request request; // nothing left empty
    private final Request.Size size;
    private final Request.Size drawn;
    private final Progress progress;
    private final Sampler sampler;
    private final Autoencoder vae;
    private Beginning beginning;
    private Levels levels;
    private Guidance model;

    Drawing(StableDiffusion sd, Request request, Progress progress) {
        this.sd = sd;
        this.request = sd.complete(request);
        this.progress = progress;
        size = this.request.size().orElseThrow();
        sampler = this.request.sampling().sampler().orElseThrow();
        // A picture to begin with is drawn at the size that was asked for.
        drawn = request.start().isPresent() ? size : sd.drawn(size);
        vae = new Autoencoder(sd, request.network().tileable(), progress);
    }

    List<Picture> run() {
        if (!drawn.equals(size) && request.hires().isEmpty())
            progress.note("this model draws at " + Math.max(drawn.width(), drawn.height()) + " pixels: drawn at "
                    + drawn + " and enlarged to " + size);
        long start = System.nanoTime();
        prepare();
        progress.done("text", since(start));

        Duration denoise = Duration.ZERO, decode = Duration.ZERO;
        List<Picture> pictures = new ArrayList<>();
        for (int i = 0; i < request.batch(); i++) {
            start = System.nanoTime();
            float[] latents = denoise(i);
            denoise = denoise.plus(since(start));
            start = System.nanoTime();
            pictures.add(picture(i, latents));
            decode = decode.plus(since(start));
            progress.picture(pictures.get(i));
        }
        progress.done("denoise", denoise);
        progress.done("decode", decode);
        return pictures;
    }

    /** Reads the text and what pictures begin with. */
    void prepare() {
        sd.use(request.network().loras());
        beginning = new Beginning(sd, request.start(), drawn, vae);
        levels = beginning.levels(sampler.levels(request.sampling().steps().orElseThrow()));
        model = guidance(drawn, levels);
    }

    private Guidance guidance(Request.Size pixels, Levels levels) {
        boolean guided = request.sampling().guidance().orElseThrow() > 1;
        Conditioning text = new Conditioning(sd, request.text(), levels.steps(), guided, progress);
        return new Guidance(sd, request, height(pixels), width(pixels), text, progress);
    }

    private int height(Request.Size pixels) {
        return pixels.height() / sd.factor();
    }

    private int width(Request.Size pixels) {
        return pixels.width() / sd.factor();
    }

    /** Picture i's latents, [4, height, width]. */
    float[] denoise(int i) {
        PictureNoise noise = new PictureNoise(request.noise().of(i));
        double[] state = beginning.state(levels, noise, model.denoiser());
        return sample(i, model, state, levels, noise, beginning, drawn);
    }

    private float[] sample(
            int i,
            Guidance model,
            double[] state,
            Levels levels,
            PictureNoise noise,
            Beginning beginning,
            Request.Size pixels) {
        long begin = System.nanoTime();
        model.denoiser().begin();
        return sampler.sample(model, state, levels, noise, done -> {
            beginning.keep(done);
            Duration left = since(begin).dividedBy(done.step()).multipliedBy(done.steps() - done.step());
            progress.step(new Progress.Step(
                    i + 1, request.batch(), done.step(), done.steps(), done.sigma(), left, look(done, pixels)));
        });
    }

    private Progress.Look look(Sampler.Progress done, Request.Size pixels) {
        return new Progress.Look() {
            @Override
            public Preview quick() {
                return sd.latentColours().picture(done.denoised(), height(pixels), width(pixels));
            }

            @Override
            public Preview decoded() {
                float[] latents = new float[done.denoised().length];
                for (int j = 0; j < latents.length; j++) latents[j] = (float) done.denoised()[j];
                return new Preview(
                        pixels.width(),
                        pixels.height(),
                        Drawing.this.decoded(latents, pixels).rgb());
            }
        };
    }

    private Picture picture(int i, float[] latents) {
        Image image = request.hires()
                .map(how -> decoded(second(i, latents, how), how.of(drawn)))
                .orElseGet(() -> decoded(latents, drawn).resize(size.width(), size.height()));
        Request alone = request.with(request.noise().of(i)).batch(1);
        Parameters parameters = new Parameters(
                alone,
                drawn.equals(size) ? Optional.empty() : Optional.of(drawn),
                sd.checkpoint().name(),
                KnownFile.hash(sd.checkpoint()),
                sd.ema(),
                Map.of());
        return Picture.of(sd.checked(beginning.finish(image), progress), parameters);
    }

    private Image decoded(float[] latents, Request.Size pixels) {
        check(progress);
        return Image.ofPlanes(vae.decode(latents, height(pixels), width(pixels)), pixels.width(), pixels.height());
    }

    /** Enlarged and gone over again, as latents. */
    float[] second(int i, float[] latents, Hires how) {
        Request.Size large = how.of(drawn);
        int steps = how.steps().orElse(request.sampling().steps().orElseThrow());
        Levels levels = Beginning.last(sampler.levels(steps), how.strength());
        PictureNoise noise = new PictureNoise(request.noise().of(i));
        float[] clean = enlarged(latents, large, how.latent(), noise);
        double[] state = levels.start(clean, noise.initial(sd.channels(), height(large), width(large)));
        Guidance again = guidance(large, levels);
        Beginning free = new Beginning(sd, Optional.empty(), large, vae);
        free.beside(again.denoiser());
        return sample(i, again, state, levels, noise, free, large);
    }

    private float[] enlarged(float[] latents, Request.Size large, boolean asLatents, PictureNoise noise) {
        if (asLatents)
            return Bilinear.resize(latents, sd.channels(), height(drawn), width(drawn), height(large), width(large));
        Image picture = decoded(latents, drawn).resize(large.width(), large.height());
        return new Latents(vae.encode(picture.planes(), large.height(), large.width())).sample(noise);
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
