/** Stable Diffusion: text encoder, UNet, VAE, samplers, checkpoints. */
@SuppressWarnings("requires-automatic") // TwelveMonkeys has no descriptors
module dev.gyre.diffusion {
    requires transitive dev.gyre.nn;
    requires transitive dev.gyre.jsafetensors;
    requires transitive dev.gyre.tokenizer;
    requires transitive java.desktop;
    requires java.management;
    requires jdk.management;
    requires com.fasterxml.jackson.databind;
    requires com.twelvemonkeys.imageio.metadata;

    uses dev.gyre.diffusion.settings.SettingProvider;

    exports dev.gyre.diffusion;
    exports dev.gyre.diffusion.adapter;
    exports dev.gyre.diffusion.checkpoint;
    exports dev.gyre.diffusion.family;
    exports dev.gyre.diffusion.file;
    exports dev.gyre.diffusion.image;
    exports dev.gyre.diffusion.metadata;
    exports dev.gyre.diffusion.network;
    exports dev.gyre.diffusion.noise;
    exports dev.gyre.diffusion.output;
    exports dev.gyre.diffusion.prompt;
    exports dev.gyre.diffusion.request;
    exports dev.gyre.diffusion.sampler;
    exports dev.gyre.diffusion.settings;
}
