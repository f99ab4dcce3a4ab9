package dev.gyre.nn.conv;

import dev.gyre.core.Kernel;
import dev.gyre.core.KernelCall;
import dev.gyre.core.Value;
import dev.gyre.core.VendorCall;
import dev.gyre.nn.Epilogue;
import java.util.List;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * A convolution by cuDNN, which uses the same layout. By default, cuDNN 8.0 and later let the GPU round products to
 * TF32.
 */
final class Conv2dCudnn {
    private static final VendorCall CONVOLUTION = new VendorCall("nvidia/cudnn", "cudnnConv2d", 2);

    private Conv2dCudnn() {}

    /** cuDNN pads all sides alike; where that gives the same output size, the convolutions are equal. */
    static boolean fits(Conv2d op) {
        return outputSize(op, 2) == op.y().dim(2) && outputSize(op, 3) == op.y().dim(3);
    }

    private static int outputSize(Conv2d op, int dim) {
        return (op.x().dim(dim) + 2 * op.padding() - op.weight().dim(dim)) / op.stride() + 1;
    }

    static List<KernelCall> calls(Conv2d op, Epilogue epilogue) {
        Value x = op.x(), w = op.weight(), y = op.y();
        return List.of(
                KernelCall.vendor(
                        CONVOLUTION,
                        x,
                        w,
                        y,
                        x.dim(0),
                        x.dim(1),
                        x.dim(2),
                        x.dim(3),
                        w.dim(0),
                        w.dim(2),
                        w.dim(3),
                        op.padding(),
                        op.stride()),
                Kernel.call(
                        y.shape().elements(),
                        Conv2dCudnn::conv2dBias,
                        y.dim(1),
                        y.dim(2) * y.dim(3),
                        epilogue.each(),
                        op.bias(),
                        epilogue.value(),
                        y));
    }

    /** Adds the bias and the epilogue's addend to y [batch, out, plane]. */
    public static void conv2dBias(
            int begin, int count, int out, int plane, int each, FloatArray b, FloatArray a, FloatArray y) {
        for (@Parallel int n = 0; n < count; n++) {
            int i = begin + n;
            y.set(i, Epilogue.apply(y.get(i) + b.get(i / plane % out), i, each, a));
        }
    }
}
