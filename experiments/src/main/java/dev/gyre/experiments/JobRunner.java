package dev.gyre.experiments;

import dev.gyre.core.Tensor;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.request.Request;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;

/** Runs a sweep's jobs, one after the other. A failure is a result, too. */
public final class JobRunner {
    private final StableDiffusion sd;
    private final boolean stepLatents;
    private final Progress progress;

    // Consecutive jobs of a prompt share its reference.
    private Reference last;
    private Image lastImage;
    private Tensor lastLatents;

    /**
     * @param stepLatents whether to keep the latents of every step
     * @param progress of every picture; an exception from it ends the picture
     */
    public JobRunner(StableDiffusion sd, boolean stepLatents, Progress progress) {
        this.sd = sd;
        this.stepLatents = stepLatents;
        this.progress = progress;
    }

    /** @throws CancellationException when the listener cancels or the thread is interrupted */
    public Result run(Job job) {
        Keeper kept = new Keeper();
        Request request = sd.complete(job.nearest());
        try {
            Picture picture = sd.generate(job.request(), kept).getFirst();
            byte[] png = picture.png();
            Optional<ImageMetrics> likeness = Optional.empty();
            Optional<String> error = Optional.empty();
            if (job.reference().isPresent())
                try {
                    likeness = Optional.of(
                            compare(picture, kept.latents, job.reference().get()));
                } catch (IOException | IllegalArgumentException e) {
                    error = Optional.of("not compared: " + e.getMessage());
                }
            return new Result(
                    job,
                    request,
                    kept.times,
                    Optional.of(kept.latents),
                    kept.steps,
                    Optional.of(png),
                    Optional.of(picture.parameters().text()),
                    likeness,
                    error);
        } catch (CancellationException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            String message = e.getMessage() == null ? e.toString() : e.getMessage();
            return new Result(
                    job,
                    request,
                    Map.of(),
                    Optional.empty(),
                    List.of(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.of(message));
        }
    }

    private ImageMetrics compare(Picture picture, Tensor latents, Reference reference) throws IOException {
        if (last == null || !last.equals(reference)) {
            lastImage = reference.read();
            lastLatents = null;
            last = reference;
        }
        if (lastImage.width() != picture.width() || lastImage.height() != picture.height())
            throw new IllegalArgumentException("reference " + reference.name() + " has " + lastImage.width() + "x"
                    + lastImage.height() + " pixels, the picture " + picture.width() + "x" + picture.height());
        int drawn = picture.parameters().drawn().map(Request.Size::width).orElse(picture.width());
        if (drawn != picture.width())
            return new ImageMetrics(
                    ImageMetrics.psnr(picture.image(), lastImage),
                    ImageMetrics.ssim(picture.image(), lastImage),
                    Double.NaN);
        if (lastLatents == null) lastLatents = sd.latents(lastImage);
        return ImageMetrics.of(picture.image(), lastImage, latents, lastLatents);
    }

    /** Collects the results of a picture. */
    private final class Keeper implements Progress {
        private final Map<String, Duration> times = new LinkedHashMap<>();
        private final List<Tensor> steps = new ArrayList<>();
        private Tensor latents;

        @Override
        public void note(String sentence) {
            progress.note(sentence);
        }

        @Override
        public void step(Step step) {
            if (stepLatents) steps.add(step.previews().latents());
            progress.step(step);
        }

        @Override
        public void latents(int picture, Tensor latents) {
            this.latents = latents;
        }

        @Override
        public void done(String phase, Duration time) {
            times.put(phase, time);
        }

        @Override
        public boolean cancelled() {
            return progress.cancelled();
        }
    }
}
