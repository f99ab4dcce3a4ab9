package dev.gyre.core.profile;

import dev.gyre.core.Graph;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A JDK Flight Recorder event for the run of a graph. */
@Name("dev.gyre.Run")
@Label("Run")
@Category("Gyre")
@Description("A graph's run, on the JVM or on a device")
@StackTrace(false)
public final class RunEvent extends Event {
    @Label("Graph")
    String graph;

    @Label("Ops")
    int ops;

    /** Ends and commits the event. */
    public void ran(Graph graph) {
        if (!shouldCommit()) return;
        this.graph = graph.title();
        ops = graph.ops().size();
        commit();
    }
}
