package dev.gyre.diffusion;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gyre.core.tornado.TornadoBackend;
import java.io.IOException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The small networks of {@link TinyNetsTest} on the device that TornadoVM reaches, held to the same. */
class TinyNetsTornadoTest {
    private final TinyNetsTest nets = new TinyNetsTest();

    @BeforeAll
    static void look() {
        assumeTrue(TornadoBackend.isAvailable(), "TornadoVM is not on this JVM: networks are not tried on a device");
    }

    @Test
    void unet() throws IOException {
        nets.unet(new TornadoBackend());
    }

    @Test
    void decoder() throws IOException {
        nets.decoder(new TornadoBackend());
    }

    @Test
    void encoder() throws IOException {
        nets.encoder(new TornadoBackend());
    }

    @Test
    void textEncoder() throws IOException {
        nets.textEncoder(new TornadoBackend());
    }
}
