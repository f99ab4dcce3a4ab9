package dev.gyre.diffusion.family;

/**
 * How the latents that a UNet works with relate to those of its VAE: latent = scale · (z − shift), so that their variance is about 1.
 *
 * @param scale what the VAE's latents are multiplied by
 * @param shift what is subtracted from them first
 * @param preview the colours that latents stand for
 */
public record LatentSpace(float scale, float shift, LatentPreview preview) {
    /**
     * The UNet's latent of one of the VAE's.
     *
     * @param z a number of the VAE's latents
     */
    public double scaled(double z) {
        return scale * (z - shift);
    }

    /** The VAE's latents of the UNet's. */
    public float[] unscaled(float[] latents) {
        float[] z = new float[latents.length];
        for (int i = 0; i < z.length; i++) z[i] = latents[i] / scale + shift;
        return z;
    }
}
