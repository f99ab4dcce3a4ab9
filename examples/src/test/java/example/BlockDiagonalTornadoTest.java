package example;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gyre.core.tornado.DeviceListener;
import dev.gyre.core.tornado.TornadoBackend;
import org.junit.jupiter.api.Test;

/** The same layer on the device that TornadoVM reaches. */
class BlockDiagonalTornadoTest {
    @Test
    void tornado() {
        assumeTrue(TornadoBackend.isAvailable(), "TornadoVM is not on this JVM: the layer is not tried on a device");
        BlockDiagonalTest.check(
                profiler -> new TornadoBackend(TornadoBackend.Options.DEFAULT.measured(DeviceListener.NONE, profiler)));
    }
}
