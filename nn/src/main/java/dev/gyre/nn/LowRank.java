package dev.gyre.nn;

import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
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

    /** y and what adapters add to it, y being a linear layer's output for x. */
    static Value addTo(Value y, Value x, Weights at) {
        for (LowRank one : at.additions()) {
            Value inner = Linear.of(x, matrix(at, "down", one.down), Optional.empty());
            y = Add.of(y, Linear.of(inner, matrix(at, "up", one.up), Optional.empty()), one.scale);
        }
        return y;
    }

    /** y and what adapters add to it, y being a convolution's output for x. */
    static Value addTo(Value y, Value x, int stride, int before, int after, Weights at) {
        for (LowRank one : at.additions()) {
            Value down = kernel(at, "down", one.down);
            Value inner = one.mid.isPresent() || down.dim(2) == 1 && stride == 1
                    ? Conv2d.withoutBias(x, down, 1, 0, 0)
                    : Conv2d.withoutBias(x, down, stride, before, after);
            if (one.mid.isPresent())
                inner = Conv2d.withoutBias(inner, kernel(at, "mid", one.mid.get()), stride, before, after);
            y = Add.of(y, Conv2d.withoutBias(inner, kernel(at, "up", one.up), 1, 0, 0), one.scale);
        }
        return y;
    }

    private static Value matrix(Weights at, String part, Tensor tensor) {
        return at.ofAdapter(part, tensor)
                .reshape(tensor.shape().dim(0), tensor.shape().dim(1));
    }

    private static Value kernel(Weights at, String part, Tensor tensor) {
        int side = tensor.shape().rank() == 4 ? tensor.shape().dim(2) : 1;
        return at.ofAdapter(part, tensor)
                .reshape(tensor.shape().dim(0), tensor.shape().dim(1), side, side);
    }
}
