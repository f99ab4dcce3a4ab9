package dev.gyre.diffusion.pipeline;

import dev.gyre.core.DType;
import dev.gyre.core.Graph;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.family.LatentSpace;
import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.network.Vae;
import dev.gyre.diffusion.output.Progress;
import java.util.Optional;

/**
 * The VAE between pictures and latents. Where a whole picture does not fit into memory it works tile by tile, and notes that: tiles
 * overlap by a quarter and are blended. Group norms see one tile at a time, so the picture differs slightly from an untiled one.
 */
public final class TiledVae {
    /** Latents on a side of a tile: what a picture of 512 pixels has. */
    private static final int TILE = 64;

    private final Vae vae;
    private final LatentSpace space;
    private final ModelWeights weights;
    private final CompiledGraphs graphs;
    private final Progress progress;
    private Optional<Boolean> tiled = Optional.empty(); // empty: decided for each picture

    TiledVae(Vae vae, LatentSpace space, ModelWeights weights, CompiledGraphs graphs, Progress progress) {
        this.vae = vae;
        this.space = space;
        this.weights = weights;
        this.graphs = graphs;
        this.progress = progress;
    }

    /**
     * The picture of a latent.
     *
     * @param latents [4, height, width], at the scale the UNet works with
     * @return [3, 8 · height, 8 · width], −1 to 1, not clamped
     */
    public float[] decode(float[] latents, int height, int width) {
        graphs.close();
        float[] z = space.unscaled(latents);
        return whole(decoder(height, width), "decoding", height, width)
                ? decodeWhole(z, height, width)
                : decode(z, height, width, TILE);
    }

    /** Tile by tile: {@code side} latents at a time. */
    public float[] decode(float[] z, int height, int width, int side) {
        TileBlending tiles = new TileBlending(vae.latent(), height, width, side, 3, vae.factor(), 1);
        return tiles.map(z, part -> decodeWhole(part.values(), part.height(), part.width()));
    }

    private float[] decodeWhole(float[] z, int height, int width) {
        return graphs.runOnce(decoder(height, width), "the VAE's decoder", Tensor.of(z, 1, vae.latent(), height, width))
                .getFirst();
    }

    public Graph decoder(int height, int width) {
        Graph graph = new Graph("decoder");
        Value input = graph.input("z", DType.F32, 1, vae.latent(), height, width);
        graph.output(vae.decoder(input, weights.source().at(Checkpoint.VAE, graph)));
        return graph;
    }

    /**
     * The VAE's distribution of a picture's latents.
     *
     * @param picture [3, height, width], −1 to 1; sides are multiples of 8
     * @return mean, then log-variance before clamping, [2 · 4, height / 8, width / 8], not scaled
     */
    public float[] encode(float[] picture, int height, int width) {
        graphs.close();
        int rows = height / vae.factor(), columns = width / vae.factor();
        return whole(encoder(height, width), "encoding", rows, columns)
                ? encodeWhole(picture, height, width)
                : encode(picture, height, width, TILE);
    }

    /** The mean of a picture's latents, at the scale the UNet works with, [4, height / 8, width / 8]. */
    public Tensor latents(Image image) {
        return Tensor.of(
                distribution(image.planes(), image.height(), image.width()).mean(),
                vae.latent(),
                image.height() / vae.factor(),
                image.width() / vae.factor());
    }

    /** The distribution of a picture's latents. */
    Latents distribution(float[] picture, int height, int width) {
        return new Latents(encode(picture, height, width), space);
    }

    /** Tile by tile: the pixels of {@code side} latents at a time. */
    public float[] encode(float[] picture, int height, int width, int side) {
        TileBlending tiles = new TileBlending(3, height, width, side * vae.factor(), 2 * vae.latent(), 1, vae.factor());
        return tiles.map(picture, part -> encodeWhole(part.values(), part.height(), part.width()));
    }

    private float[] encodeWhole(float[] picture, int height, int width) {
        return graphs.runOnce(encoder(height, width), "the VAE's encoder", Tensor.of(picture, 1, 3, height, width))
                .getFirst();
    }

    public Graph encoder(int height, int width) {
        Graph graph = new Graph("encoder");
        Value input = graph.input("picture", DType.F32, 1, 3, height, width);
        graph.output(vae.encoder(input, weights.source().at(Checkpoint.VAE, graph)));
        return graph;
    }

    /**
     * Decides on tiles once for all pictures of a request, by the largest, so that it can be recorded and repeated elsewhere.
     *
     * @param always tiles, even where the whole fits
     * @param encodes whether pictures are encoded, too
     * @return whether there are tiles
     */
    boolean settle(boolean always, boolean encodes, int height, int width) {
        if (height <= TILE && width <= TILE) return false;
        tiled = Optional.of(always
                || !fits(decoder(height, width), "decoding")
                || encodes && !fits(encoder(height * vae.factor(), width * vae.factor()), "encoding"));
        return tiled.get();
    }

    /** A picture of one tile is never cut. */
    private boolean whole(Graph graph, String what, int height, int width) {
        if (height <= TILE && width <= TILE) return true;
        return tiled.map(yes -> !yes).orElseGet(() -> fits(graph, what));
    }

    private boolean fits(Graph graph, String what) {
        long needed = graphs.plan(graph), room = graphs.availableMemory();
        if (needed <= room) return true;
        progress.note(what + " the whole picture takes " + (needed >> 20) + " MiB of memory and " + (room >> 20)
                + " MiB are there: done in tiles of " + TILE * vae.factor() + " pixels that fade into each other");
        return false;
    }
}
