package uk.ac.manchester.tornado.api;

/** A finished task graph. Only {@link TaskGraph#snapshot()} makes one. */
public class ImmutableTaskGraph {
    ImmutableTaskGraph() {}
}
