package dev.gyre.nn;

import dev.gyre.core.Tensor;
import java.util.Optional;

/**
 * What a low-rank adapter adds to a linear layer or a convolution, scale · up(mid(down(x))): the layer's own weights stay as they are
 * (Hu et al. 2021; for convolutions, LyCORIS). Without {@code mid}, {@code down} has the layer's kernel; with it {@code mid} has.
 *
 * @param down [rank, in] or [rank, in, kernel, kernel]
 * @param mid [rank, rank, kernel, kernel]
 * @param up [out, rank] or [out, rank, 1, 1]
 */
public record LowRank(Tensor down, Optional<Tensor> mid, Tensor up, float scale) {
    /** So many times what this one adds. */
    public LowRank scaled(float by) {
        return new LowRank(down, mid, up, scale * by);
    }
}
