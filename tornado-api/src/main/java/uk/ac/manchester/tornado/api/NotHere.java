package uk.ac.manchester.tornado.api;

/** What the signatures in this stand-in say when they are called. */
final class NotHere {
    private NotHere() {}

    static UnsupportedOperationException error() {
        return new UnsupportedOperationException(
                "TornadoVM is not on this JVM: install its SDK, set TORNADOVM_HOME, and"
                        + " start with java @$TORNADOVM_HOME/tornado-argfile");
    }
}
