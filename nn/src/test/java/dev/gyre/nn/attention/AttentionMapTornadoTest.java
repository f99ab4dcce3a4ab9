package dev.gyre.nn.attention;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gyre.core.tornado.TornadoBackend;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Observing values on a device. */
class AttentionMapTornadoTest {
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theMapTimesTheValuesIsTheAttention(boolean causal) {
        assumeTrue(TornadoBackend.isAvailable(), "TornadoVM is not on this JVM: no device is observed");
        try (TornadoBackend backend = new TornadoBackend()) {
            AttentionMapTest.check(backend, causal);
        }
    }
}
