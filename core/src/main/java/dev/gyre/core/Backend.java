package dev.gyre.core;

/** Where graphs run. Closing it frees what it holds; its executables are closed first. */
public interface Backend extends AutoCloseable {
    /** As users name it: {@code jvm}, {@code tornado}. */
    String name();

    /** Plans the graph's memory and makes it ready to run. */
    Executable compile(Graph graph);

    /** What products multiply. */
    default Precision precision() {
        return Precision.F32;
    }

    @Override
    void close();
}
