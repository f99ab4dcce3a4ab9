package dev.gyre.core.profile;

import dev.gyre.core.Op;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** An op of a running graph, for JDK Flight Recorder. It costs next to nothing unless a recording is on. */
@Name("dev.gyre.Op")
@Label("Op")
@Category("Gyre")
@Description("An op of a running graph")
@StackTrace(false)
public final class OpEvent extends Event {
    @Label("Kind")
    String kind;

    @Label("Value")
    @Description("The name of its output")
    String value;

    @Label("Shape")
    String shape;

    @Label("Floating-point operations")
    long flops;

    @Label("Bytes")
    @Description("Its inputs and output, each once")
    @DataAmount
    long bytes;

    /** Ends the event and commits it. */
    public void ran(Op op) {
        if (!shouldCommit()) return;
        kind = op.getClass().getSimpleName();
        value = op.output().name();
        shape = op.output().shape().toString();
        flops = op.flops();
        bytes = op.bytes();
        commit();
    }
}
