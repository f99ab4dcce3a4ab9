package uk.ac.manchester.tornado.api.runtime;

import uk.ac.manchester.tornado.api.TornadoRuntime;

/** Where TornadoVM's runtime is asked for: there is none here. */
public class TornadoRuntimeProvider {
    public TornadoRuntimeProvider() {}

    public static TornadoRuntime getTornadoRuntime() {
        throw new UnsupportedOperationException("TornadoVM is not on this JVM");
    }
}
