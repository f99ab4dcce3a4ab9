package dev.gyre.diffusion.family;

import dev.gyre.core.DType;
import dev.gyre.core.Graph;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.file.WeightFile;
import dev.gyre.diffusion.network.UNet;
import dev.gyre.diffusion.network.Vae;
import dev.gyre.diffusion.sampler.NoiseSchedule;
import dev.gyre.diffusion.sampler.Prediction;
import dev.gyre.nn.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * All that is known of a model beside its weights.
 *
 * @param family its family's name
 * @param text its text encoders
 * @param unet its UNet
 * @param vae its VAE
 * @param latents the scale of latents, and how they look
 * @param prediction what the UNet predicts
 * @param noise the noise schedule that it was trained on
 * @param defaults what a request has that leaves it to the model
 */
public record ModelConfig(
        String family,
        TextEncoders text,
        UNet unet,
        Vae vae,
        LatentSpace latents,
        Prediction prediction,
        NoiseSchedule noise,
        Defaults defaults) {

    /**
     * The model that a checkpoint holds.
     *
     * @throws IllegalArgumentException when no family recognises it, or it is a kind of model that is not supported
     */
    public static ModelConfig of(Checkpoint file, ModelOptions options) {
        return options.family()
                .or(() -> Family.ALL.stream().filter(f -> f.recognises(file)).findFirst())
                .orElseThrow(() -> unknown(file))
                .config(file, options.prediction());
    }

    /** The model that a checkpoint holds, as its file says. */
    public static ModelConfig of(Checkpoint file) {
        return of(file, ModelOptions.DEFAULT);
    }

    private static IllegalArgumentException unknown(Checkpoint file) {
        return new IllegalArgumentException(file.name() + ": not a "
                + Family.ALL.stream().map(Family::name).distinct().collect(Collectors.joining(" or a "))
                + " checkpoint in the original layout: no tensor's name begins with " + Checkpoint.UNET);
    }

    /** With other latents and defaults. */
    ModelConfig with(LatentSpace latents, Defaults defaults) {
        return new ModelConfig(family, text, unet, vae, latents, prediction, noise, defaults);
    }

    /** With what a checkpoint was trained for. */
    ModelConfig with(Objective objective) {
        return new ModelConfig(
                family,
                text,
                unet,
                vae,
                latents,
                objective.prediction(),
                objective.zeroTerminalSnr() ? noise.zeroTerminalSnr() : noise,
                objective.trailing() ? defaults.trailing() : defaults);
    }

    /** Whether the UNet was trained for inpainting: it takes a mask and the masked image beside the latents. */
    public boolean inpaints() {
        return unet.in() != vae.latent();
    }

    /**
     * Builds every network once, at the smallest size, to see what weights it asks for.
     *
     * @return the weights that the text encoders, the UNet and the VAE asked for, in that order
     */
    public List<Weights> ask(Checkpoint.Source file) {
        List<Weights> asked = new ArrayList<>(text.ask(file));
        Graph graph = new Graph();
        Weights diffusion = file.at(Checkpoint.UNET, graph), pictures = file.at(Checkpoint.VAE, graph);
        int side = vae.factor();
        unet.build(
                graph.input("x", DType.F32, 1, unet.in(), side, side),
                graph.input("timestep", DType.F32, 1),
                graph.input("text", DType.F32, 1, text.length(), unet.context()),
                unet.vectorInput(graph, 1),
                diffusion);
        vae.encoder(graph.input("picture", DType.F32, 1, 3, side, side), pictures);
        vae.decoder(graph.input("z", DType.F32, 1, vae.latent(), 1, 1), pictures);
        asked.addAll(List.of(diffusion, pictures));
        return asked;
    }

    /**
     * What keeps a checkpoint from being loaded: each tensor that is missing or of another shape, a line each; empty when all is there.
     *
     * @param ema whether the UNet's averaged weights are wanted
     * @throws IllegalArgumentException when the sizes make no network
     */
    public List<String> problems(Checkpoint file, boolean ema) {
        try {
            return ask(file.source(ema)).stream()
                    .flatMap(weights -> weights.problems().stream())
                    .toList();
        } catch (IllegalArgumentException e) {
            // Sizes that do not go together, which a layer says.
            throw WeightFile.named(file.described(), e);
        }
    }
}
