package dev.gyre.core.profile;

import dev.gyre.core.Graph;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A graph's run, for JDK Flight Recorder. */
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

    /** Ends the event and commits it. */
    public void ran(Graph graph) {
        if (!shouldCommit()) return;
        this.graph = graph.title();
        ops = graph.ops().size();
        commit();
    }
}
