package dev.gyre.experiments;

import dev.gyre.core.Tensor;
import dev.gyre.diffusion.request.Request;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The result of a job.
 *
 * @param request complete
 * @param times by phase: {@code text}, {@code denoise}, {@code decode}
 * @param latents the final latents, [4, height, width]
 * @param steps the denoised latents after every step; empty unless they were asked for
 * @param png with its parameters
 * @param parameters the PNG's text
 * @param likeness to the job's reference
 * @param error why there is no picture, or why it was not compared
 */
public record Result(
        Job job,
        Request request,
        Map<String, Duration> times,
        Optional<Tensor> latents,
        List<Tensor> steps,
        Optional<byte[]> png,
        Optional<String> parameters,
        Optional<ImageMetrics> likeness,
        Optional<String> error) {}
