package dev.gyre.diffusion.network;

import dev.gyre.core.Value;
import dev.gyre.nn.Weights;
import dev.gyre.nn.conv.Conv2d;
import dev.gyre.nn.elementwise.Silu;
import dev.gyre.nn.shape.CircularPad;

/** Short names for layers. */
public final class Layers {
    private Layers() {}

    public static Value silu(Value x) {
        return Silu.of(x);
    }

    /**
     * A 3×3 convolution whose output is as large as its input, divided by the stride.
     *
     * @param wraps whether the padding is circular, rather than zeros
     */
    public static Value conv(Value x, int out, int stride, boolean wraps, Weights at) {
        return wraps
                ? Conv2d.of(CircularPad.of(x, 1), out, 3, stride, 0, 0, at)
                : Conv2d.of(x, out, 3, stride, 1, 1, at);
    }
}
