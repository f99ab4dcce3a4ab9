package dev.gyre.bench;

/** Another implementation of the same ops. */
public interface Peer extends AutoCloseable {
    /** What it is, with versions. */
    String name();

    /**
     * Runs what {@code work} names once and says how long that took, in seconds.
     *
     * @param work an {@link OpShape}'s text, {@code step HEIGHT WIDTH} or {@code decode HEIGHT WIDTH} of latents
     * @param dtype {@code fp32} or {@code bf16}
     * @throws UnsupportedOperationException when it cannot run this
     */
    double seconds(String work, String dtype);

    @Override
    void close();

    /** A kind of peer that may be on the class path. */
    interface Provider {
        /** Starts the peer on so many threads, which {@link Peer#close} ends. */
        Peer start(int threads);
    }
}
