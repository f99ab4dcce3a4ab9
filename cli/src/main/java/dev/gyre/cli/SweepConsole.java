package dev.gyre.cli;

import dev.gyre.experiments.Result;
import dev.gyre.experiments.Sweep;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;

/** Progress of a sweep: a bar of rows, or a line now and then; a note that several rows have is printed once. */
final class SweepConsole extends Console implements Sweep.Listener {
    private static final long LINE_NANOS = 30_000_000_000L;
    private static final int MOST_ERRORS = 10;

    private final long rows;
    private final Set<String> said = new HashSet<>();
    private long first; // row of this run
    private long began;
    private long told;
    private int errors;

    SweepConsole(PrintWriter out, long rows) {
        super(out);
        this.rows = rows;
    }

    @Override
    public void note(String sentence) {
        if (said.add(sentence)) super.note(sentence);
    }

    @Override
    public void step(Step step) {}

    @Override
    public void done(String phase, Duration time) {}

    @Override
    public void found(long rows) {
        if (rows > 0) line(rows + " of " + this.rows + " rows are there already");
        first = rows;
        began = told = System.nanoTime();
    }

    @Override
    public void row(Result result, long done) {
        result.error().ifPresent(error -> {
            errors++;
            if (errors <= MOST_ERRORS) line("row " + result.job().row() + ": " + error);
        });
        bar("drawing", (int) Math.min(done, Integer.MAX_VALUE), (int) Math.min(rows, Integer.MAX_VALUE));
        long now = System.nanoTime();
        if (now - told < LINE_NANOS && done < rows) return;
        told = now;
        Duration left = Duration.ofNanos((now - began) / (done - first) * (rows - done));
        line(done + " of " + rows + " rows" + (errors == 0 ? "" : ", " + errors + " with errors")
                + (done == rows
                        ? ""
                        : ", about " + (left.toSeconds() < 120 ? left.toSeconds() + " s" : left.toMinutes() + " min")
                                + " left"));
    }
}
