package dev.gyre.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * One op at one size: {@code linear ROWS IN OUT}, {@code conv BATCH IN SIDE OUT KERNEL STRIDE} (padded by half the kernel) or
 * {@code attention HEADS QUERIES KEYS DEPTH}.
 *
 * @param sizes as above
 */
public record OpShape(String kind, List<Integer> sizes) {
    /** [in, out, kernel, stride, side] of the UNet's convolutions, 512×512 with guidance. */
    private static final int[][] UNET_CONVS = {
        {4, 320, 3, 1, 64},
        {320, 320, 3, 1, 64},
        {640, 320, 3, 1, 64},
        {960, 320, 3, 1, 64},
        {640, 640, 3, 1, 64},
        {320, 4, 3, 1, 64},
        {320, 640, 3, 1, 32},
        {640, 640, 3, 1, 32},
        {960, 640, 3, 1, 32},
        {1280, 640, 3, 1, 32},
        {1920, 640, 3, 1, 32},
        {1280, 1280, 3, 1, 32},
        {640, 1280, 3, 1, 16},
        {1280, 1280, 3, 1, 16},
        {1920, 1280, 3, 1, 16},
        {2560, 1280, 3, 1, 16},
        {1280, 1280, 3, 1, 8},
        {2560, 1280, 3, 1, 8},
        {320, 320, 3, 2, 64},
        {640, 640, 3, 2, 32},
        {1280, 1280, 3, 2, 16},
        {320, 320, 1, 1, 64},
        {640, 320, 1, 1, 64},
        {960, 320, 1, 1, 64},
        {320, 640, 1, 1, 32},
        {640, 640, 1, 1, 32},
        {960, 640, 1, 1, 32},
        {1280, 640, 1, 1, 32},
        {1920, 640, 1, 1, 32},
        {640, 1280, 1, 1, 16},
        {1280, 1280, 1, 1, 16},
        {1920, 1280, 1, 1, 16},
        {2560, 1280, 1, 1, 16},
        {1280, 1280, 1, 1, 8},
        {2560, 1280, 1, 1, 8}
    };

    /** [rows, in, out] of its linear layers. */
    private static final int[][] UNET_LINEARS = {
        {8192, 320, 320},
        {8192, 320, 2560},
        {8192, 1280, 320},
        {2048, 640, 640},
        {2048, 640, 5120},
        {2048, 2560, 640},
        {512, 1280, 1280},
        {512, 1280, 10240},
        {512, 5120, 1280},
        {128, 1280, 1280},
        {128, 1280, 10240},
        {128, 5120, 1280},
        {154, 768, 320},
        {154, 768, 640},
        {154, 768, 1280},
        {2, 320, 1280},
        {2, 1280, 320},
        {2, 1280, 640},
        {2, 1280, 1280}
    };

    /** [heads · batch, queries, keys, depth] of its attention. */
    private static final int[][] UNET_ATTENTIONS = {
        {16, 4096, 4096, 40},
        {16, 1024, 1024, 80},
        {16, 256, 256, 160},
        {16, 64, 64, 160},
        {16, 4096, 77, 40},
        {16, 1024, 77, 80},
        {16, 256, 77, 160},
        {16, 64, 77, 160}
    };

    /** [in, out, kernel, stride, side] of the decoder's convolutions, 512×512. */
    private static final int[][] VAE_CONVS = {
        {4, 512, 3, 1, 64}, {512, 512, 3, 1, 64}, {512, 512, 3, 1, 128}, {512, 512, 3, 1, 256}, {512, 256, 3, 1, 256},
        {256, 256, 3, 1, 256}, {256, 256, 3, 1, 512}, {256, 128, 3, 1, 512}, {128, 128, 3, 1, 512}, {128, 3, 3, 1, 512},
        {512, 512, 1, 1, 64}, {512, 256, 1, 1, 256}, {256, 128, 1, 1, 512}
    };

    /** Every distinct shape of a guided UNet step and of decoding, at 512×512. */
    public static final List<OpShape> ALL = all();

    private static List<OpShape> all() {
        List<OpShape> all = new ArrayList<>();
        for (int[] s : UNET_LINEARS) all.add(of("linear", s));
        for (int[] s : UNET_CONVS) all.add(of("conv", 2, s[0], s[4], s[1], s[2], s[3]));
        for (int[] s : UNET_ATTENTIONS) all.add(of("attention", s));
        for (int[] s : VAE_CONVS) all.add(of("conv", 1, s[0], s[4], s[1], s[2], s[3]));
        all.add(of("attention", 1, 4096, 4096, 512));
        return List.copyOf(all);
    }

    private static OpShape of(String kind, int... sizes) {
        return new OpShape(kind, IntStream.of(sizes).boxed().toList());
    }

    /** @throws IllegalArgumentException when it is not as the class says */
    public static OpShape parse(String text) {
        String[] words = text.strip().split("\\s+");
        int expected =
                switch (words[0]) {
                    case "linear" -> 3;
                    case "conv" -> 6;
                    case "attention" -> 4;
                    default -> throw new IllegalArgumentException("op: linear, conv or attention, got " + text);
                };
        if (words.length != expected + 1)
            throw new IllegalArgumentException(words[0] + " has " + expected + " sizes, got " + text);
        return of(
                words[0],
                Arrays.stream(words).skip(1).mapToInt(Integer::parseInt).toArray());
    }

    /** Its size number i, in the order that the class tells. */
    public int size(int i) {
        return sizes.get(i);
    }

    /** Pixels of a side of a convolution's output. */
    int side() {
        return (size(2) - 1) / size(5) + 1;
    }

    /** Floating-point operations, a multiply-add being two. */
    public double flops() {
        return switch (kind) {
            case "linear" -> 2.0 * size(0) * size(1) * size(2);
            case "conv" -> 2.0 * size(0) * size(1) * size(3) * size(4) * size(4) * side() * side();
            default -> 4.0 * size(0) * size(1) * size(2) * size(3);
        };
    }

    /** What shapes are averaged over: {@code linear}, {@code conv 3x3}, {@code conv 1x1}, {@code conv /2} or {@code attention}. */
    public String group() {
        if (!kind.equals("conv")) return kind;
        return size(5) > 1 ? "conv /" + size(5) : "conv " + size(4) + "x" + size(4);
    }

    @Override
    public String toString() {
        return kind + " " + String.join(" ", sizes.stream().map(String::valueOf).toList());
    }
}
