package dev.gyre.diffusion;

import dev.gyre.core.Value;
import dev.gyre.nn.Conv2d;
import dev.gyre.nn.Silu;
import dev.gyre.nn.Weights;
import dev.gyre.nn.Wrap;

/** Short names for layers, so that blocks read like formulas. */
final class Layers {
    private Layers() {}

    static Value silu(Value x) {
        return Silu.of(x);
    }

    /**
     * A 3×3 convolution whose output is as large as its input, divided by the stride.
     *
     * @param wraps whether the picture repeats; else there are zeros around it
     */
    static Value conv(Value x, int out, int stride, boolean wraps, Weights at) {
        return wraps ? Conv2d.of(Wrap.of(x, 1), out, 3, stride, 0, 0, at) : Conv2d.of(x, out, 3, stride, 1, 1, at);
    }
}
