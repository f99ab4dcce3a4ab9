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
    private final Levels levels;
    private final int height; // of the latents
    private final int width;

    Drawing(StableDiffusion sd, Request request, Progress progress) {
        this.sd = sd;
        this.request = sd.complete(request);
        this.progress = progress;
        size = this.request.size().orElseThrow();
        drawn = sd.drawn(size);
        sampler = this.request.sampling().sampler().orElseThrow();
        levels = sampler.levels(this.request.sampling().steps().orElseThrow());
        height = drawn.height() / sd.factor();
        width = drawn.width() / sd.factor();
    }

    List<Picture> run() {
        if (!drawn.equals(size))
            progress.note("this model draws at " + Math.max(drawn.width(), drawn.height()) + " pixels: drawn at "
                    + drawn + " and enlarged to " + size);
        long start = System.nanoTime();
        boolean guided = request.sampling().guidance().orElseThrow() > 1;
        Conditioning text = new Conditioning(sd, request.text(), levels.steps(), guided, progress);
        Sampler.Model model = new Guidance(sd, request, height, width, text, progress);
        progress.done("text", since(start));

        Duration denoise = Duration.ZERO, decode = Duration.ZERO;
        List<Picture> pictures = new ArrayList<>();
        for (int i = 0; i < request.batch(); i++) {
            start = System.nanoTime();
            float[] latents = denoise(i, model);
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

    /** Picture i's latents, [4, height, width]. */
    private float[] denoise(int i, Sampler.Model model) {
        PictureNoise noise = new PictureNoise(request.noise().of(i));
        double[] start = levels.start(noise.initial(sd.channels(), height, width));
        long begin = System.nanoTime();
        return sampler.sample(model, start, levels, noise, done -> {
            Duration left = since(begin).dividedBy(done.step()).multipliedBy(done.steps() - done.step());
            progress.step(new Progress.Step(
                    i + 1, request.batch(), done.step(), done.steps(), done.sigma(), left, look(done)));
        });
    }

    private Progress.Look look(Sampler.Progress done) {
        return new Progress.Look() {
            @Override
            public Preview quick() {
                return sd.latentColours().picture(done.denoised(), height, width);
            }

            @Override
            public Preview decoded() {
                float[] latents = new float[done.denoised().length];
                for (int j = 0; j < latents.length; j++) latents[j] = (float) done.denoised()[j];
                return new Preview(drawn.width(), drawn.height(), Picture.bytes(decode(latents)));
            }
        };
    }

    private float[] decode(float[] latents) {
        check(progress);
        return sd.decode(latents, height, width);
    }

    private Picture picture(int i, float[] latents) {
        float[] decoded = decode(latents);
        if (!drawn.equals(size))
            decoded = Lanczos.enlarge(decoded, 3, drawn.height(), drawn.width(), size.height(), size.width());
        Request alone = request.with(request.noise().of(i)).batch(1);
        Parameters parameters = new Parameters(
                alone,
                drawn.equals(size) ? Optional.empty() : Optional.of(drawn),
                sd.checkpoint().name(),
                KnownFile.hash(sd.checkpoint()),
                sd.ema(),
                Map.of());
        return Picture.of(decoded, size.width(), size.height(), parameters);
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
