package dev.gyre.bench;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import java.util.function.Supplier;

/** libtorch in this JVM, through DJL: linear layers and convolutions in NCHW. Fused attention and bf16 are not in DJL's reach. */
public final class LibtorchPeer implements Peer {
    private final NDManager root;
    private NDManager current;
    private String made = "";
    private Supplier<NDList> run;

    /** What {@link java.util.ServiceLoader} finds. */
    public static final class Provider implements Peer.Provider {
        @Override
        public Peer start(int threads) {
            return new LibtorchPeer(threads);
        }
    }

    LibtorchPeer(int threads) {
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("ai.djl.pytorch.num_threads", String.valueOf(threads));
        System.setProperty("ai.djl.pytorch.num_interop_threads", "1");
        root = NDManager.newBaseManager(Device.cpu(), "PyTorch");
    }

    @Override
    public String name() {
        return "libtorch " + Engine.getEngine("PyTorch").getVersion();
    }

    @Override
    public double seconds(String work, String dtype) {
        if (!made.equals(work + dtype)) {
            if (!dtype.equals("fp32")) throw new UnsupportedOperationException("DJL cannot ask libtorch for " + dtype);
            if (current != null) current.close();
            current = root.newSubManager();
            run = make(work);
            made = work + dtype;
            for (int i = 0; i < 2; i++) run.get().close();
        }
        long start = System.nanoTime();
        NDList result = run.get();
        double seconds = (System.nanoTime() - start) / 1e9;
        result.close();
        return seconds;
    }

    private Supplier<NDList> make(String work) {
        if (!work.startsWith("linear") && !work.startsWith("conv"))
            throw new UnsupportedOperationException("only linear and conv");
        OpShape s = OpShape.parse(work);
        if (s.kind().equals("linear")) {
            NDArray x = random(s.size(0), s.size(1)), w = random(s.size(2), s.size(1));
            NDArray b = random(s.size(2));
            return () -> Linear.linear(x, w, b);
        }
        int kernel = s.size(4), padding = kernel / 2, stride = s.size(5);
        NDArray x = random(s.size(0), s.size(1), s.size(2), s.size(2));
        NDArray w = random(s.size(3), s.size(1), kernel, kernel), b = random(s.size(3));
        return () -> Conv2d.conv2d(
                x, w, b, new Shape(stride, stride), new Shape(padding, padding), new Shape(1, 1), 1);
    }

    private NDArray random(long... sizes) {
        return current.randomNormal(new Shape(sizes));
    }

    @Override
    public void close() {
        root.close();
    }
}
