package dev.gyre.diffusion.pipeline;

import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.network.Vae;
import dev.gyre.diffusion.request.InitImage;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Sampler;
import dev.gyre.diffusion.sampler.Sigmas;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The initial latents of a request: noise, an image with noise on it, or an image that is inpainted. */
final class InitialLatents {
    private final Vae network;
    private final Optional<InitImage> start;
    private final int height; // of the latents
    private final int width;
    private final Image image; // the image, or its crop, at the working size; null without one
    private final CropRegion region; // the crop that is worked on; null for the whole
    private final Latents latents; // of the image
    private final Latents unmasked; // of the masked image, for an inpainting UNet
    private final float[] mask; // [height, width], 1 where it is repainted
    private float[] clean;
    private float[] noise;

    /** @param inpaints whether the UNet takes the mask and the masked image beside the latents */
    InitialLatents(Vae network, boolean inpaints, Optional<InitImage> start, Request.Size size, TiledVae vae) {
        this.network = network;
        this.start = start;
        height = size.height() / network.factor();
        width = size.width() / network.factor();
        region = start.filter(s -> s.mask().isPresent())
                .flatMap(s -> region(s, s.mask().get(), size))
                .orElse(null);
        image = start.map(s -> (region == null ? s.image() : region.of(s.image())).resize(size.width(), size.height()))
                .orElse(null);
        latents = image == null ? null : vae.distribution(image.planes(), size.height(), size.width());
        mask = new float[height * width];
        Arrays.fill(mask, 1);
        float[] hard = masked() ? InitImage.Mask.hard(shape(), size.width(), size.height()) : null;
        if (hard != null) shrink(hard, mask);
        unmasked = inpaints ? unmasked(hard, size, vae) : null;
    }

    /** The crop that is worked on; empty for the whole. */
    private static Optional<CropRegion> region(InitImage start, InitImage.Mask mask, Request.Size size) {
        int width = start.image().width(), height = start.image().height();
        float[] white = InitImage.Mask.hard(mask.image(), width, height);
        boolean none = true;
        for (float v : white) none &= v == 0;
        if (none) throw new IllegalArgumentException("the mask is black everywhere: there is nothing to repaint");
        return mask.closeUp().isEmpty()
                ? Optional.empty()
                : Optional.of(
                        CropRegion.around(white, width, height, mask.closeUp().getAsInt(), size));
    }

    /** The mask, or its crop. */
    private Image shape() {
        Image whole = start.get().image(), shape = start.get().mask().get().image();
        return region == null ? shape : region.of(shape.resize(whole.width(), whole.height()));
    }

    /** The pixel at each latent's corner, as diffusers takes it. */
    private void shrink(float[] from, float[] to) {
        int factor = network.factor();
        for (int i = 0; i < to.length; i++) to[i] = from[(i / width * width * factor + i % width) * factor];
    }

    /** The image with gray where it is repainted; all gray without an image or a mask. */
    private Latents unmasked(float[] hard, Request.Size size, TiledVae vae) {
        float[] planes = new float[3 * size.width() * size.height()];
        if (hard != null) {
            planes = image.planes();
            for (int i = 0; i < planes.length; i++) if (hard[i % hard.length] == 1) planes[i] = 0;
        }
        return vae.distribution(planes, size.height(), size.width());
    }

    private boolean masked() {
        return start.isPresent() && start.get().mask().isPresent();
    }

    /** The last levels, as many as the strength says. */
    Sigmas levels(Sigmas all) {
        return start.map(s -> last(all, s.strength())).orElse(all);
    }

    /** @throws IllegalArgumentException when the strength leaves no step */
    static Sigmas last(Sigmas all, double strength) {
        int steps = (int) (all.steps() * strength);
        if (steps < 1)
            throw new IllegalArgumentException(
                    "strength: " + strength + " of " + all.steps() + " steps leaves no step");
        return all.from(all.steps() - steps);
    }

    /** One picture's state at the first level; noise is drawn in diffusers' order. */
    double[] state(Sigmas levels, SeededNoise random, Denoiser denoiser) {
        boolean fresh = image == null || masked() && start.get().strength() == 1;
        clean = image == null || fresh && unmasked != null ? null : latents.sample(random);
        noise = random.initial(network.latent(), height, width);
        if (masked() && unmasked != null) denoiser.inpaintingChannels(channels(unmasked.sample(random)));
        else paintEverything(denoiser);
        return fresh ? levels.start(noise) : levels.start(clean, noise);
    }

    /** Has an inpainting UNet repaint everything. */
    void paintEverything(Denoiser denoiser) {
        if (unmasked != null) denoiser.inpaintingChannels(channels(unmasked.mean()));
    }

    /** The mask and the latents of the masked image, [5, height, width]. */
    private float[] channels(float[] image) {
        return Condition.joined(List.of(mask, image));
    }

    /** Sets the state outside the mask to the image with its noise, unless the UNet was trained for inpainting. */
    void restoreUnmasked(Sampler.Progress done) {
        if (!masked() || unmasked != null) return;
        double[] x = done.x();
        boolean last = done.step() == done.steps();
        // After the last step without noise, at the scale that the sampler divides by.
        double scale = last ? Math.sqrt(done.sigma() * done.sigma() + 1) : 1, sigma = last ? 0 : done.sigma();
        for (int i = 0; i < x.length; i++) if (mask[i % mask.length] == 0) x[i] = scale * clean[i] + sigma * noise[i];
    }

    /** Composites the result over the original: outside the mask's blurred edge nothing changes. */
    Image composite(Image generated) {
        if (!masked()) return generated;
        Image under = region == null ? image : region.of(start.get().image());
        int w = under.width(), h = under.height();
        float[] soft = MaskBlend.blur(
                InitImage.Mask.hard(shape(), w, h),
                w,
                h,
                start.get().mask().get().blur());
        Image part = MaskBlend.of(under, generated.resize(w, h), soft);
        return region == null ? part : MaskBlend.put(start.get().image(), part, region);
    }
}
