package dev.gyre.diffusion;

import dev.gyre.core.Value;
import dev.gyre.nn.Silu;

/** Short names for layers without weights, so that blocks read like formulas. */
final class Layers {
    private Layers() {}

    static Value silu(Value x) {
        return Silu.of(x);
    }
}
