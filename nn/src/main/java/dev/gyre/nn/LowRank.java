package dev.gyre.nn;

import dev.gyre.core.Tensor;
import java.util.Optional;

/**
 * A low-rank adapter of a linear layer or a convolution, which adds scale · up(mid(down(x))) to the layer's output and
 * leaves its weights as they are (Hu et al. 2021; for convolutions, LyCORIS). Without {@code mid}, {@code down} has the
 * layer's kernel; with it, {@code mid} has.
 *
 * @param down [rank, in] or [rank, in, kernel, kernel]
 * @param mid [rank, rank, kernel, kernel]
 * @param up [out, rank] or [out, rank, 1, 1]
 * @param scale multiplies the adapter's output
 */
public record LowRank(Tensor down, Optional<Tensor> mid, Tensor up, float scale) {
    /** This adapter with its scale multiplied by {@code by}. */
    public LowRank scaled(float by) {
        return new LowRank(down, mid, up, scale * by);
    }
}
