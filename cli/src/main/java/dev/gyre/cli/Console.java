package dev.gyre.cli;

import dev.gyre.diffusion.output.Progress;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Progress on the console: lines, and a bar if the output is a terminal. */
class Console implements Progress {
    private static final int WIDTH = 30;

    private final PrintWriter out;
    private final boolean terminal =
            System.console() != null && System.console().isTerminal();
    private final List<String> phases = new ArrayList<>();
    private boolean bar;

    Console(PrintWriter out) {
        this.out = out;
    }

    /** A line of its own, above the bar. */
    void line(String text) {
        clear();
        out.println(text);
        out.flush();
    }

    /** The phases that are done, with their times. */
    List<String> phases() {
        return phases;
    }

    /** A progress bar, which is erased when it is full. */
    void bar(String what, int done, int of) {
        bar(what, done, of, "");
    }

    private void bar(String what, int done, int of, String rest) {
        if (!terminal || of == 0) return;
        int full = WIDTH * done / of;
        out.print("\r" + what + " [" + "#".repeat(full) + ".".repeat(WIDTH - full) + "] " + done + "/" + of + rest
                + "  ");
        out.flush();
        bar = true;
        if (done == of) clear();
    }

    private void clear() {
        if (!bar) return;
        out.print("\r" + " ".repeat(WIDTH + 40) + "\r");
        bar = false;
    }

    @Override
    public void note(String sentence) {
        line("note: " + sentence);
    }

    @Override
    public void step(Step step) {
        String what = step.pictures() == 1 ? "drawing" : "drawing " + step.picture() + " of " + step.pictures();
        bar(what, step.step(), step.steps(), ", " + step.left().toSeconds() + " s left");
    }

    @Override
    public void done(String phase, Duration time) {
        phases.add(String.format(Locale.ROOT, "%s %.1f s", phase, time.toMillis() / 1e3));
    }
}
