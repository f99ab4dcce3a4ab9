package dev.gyre.server.jobs;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** An order in the queue or being drawn, and what is to be told of it. One thread draws it, another listens. */
public final class Job {
    /** A listener this far behind hears no more of steps; of pictures it does. */
    private static final int BEHIND = 64;

    private final JobSpec order;
    private final long deadline; // System.nanoTime()
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private volatile boolean cancelled;

    Job(JobSpec order, Duration time) {
        this.order = order;
        deadline = System.nanoTime() + time.toNanos();
    }

    public JobSpec order() {
        return order;
    }

    /** Nobody wants it any more: it leaves the queue, or ends within a step. */
    public void cancel() {
        cancelled = true;
    }

    boolean isCancelled() {
        return cancelled;
    }

    /** Whether it has taken longer than it may, waiting included. */
    public boolean isLate() {
        return System.nanoTime() - deadline > 0;
    }

    void tell(Event event) {
        boolean small = event instanceof Event.Stepped || event instanceof Event.Waiting || event instanceof Event.Look;
        if (!small || events.size() < BEHIND) events.add(event);
    }

    /** The next thing to know, if it comes in time. */
    public Optional<Event> next(Duration wait) throws InterruptedException {
        return Optional.ofNullable(events.poll(wait.toMillis(), TimeUnit.MILLISECONDS));
    }
}
