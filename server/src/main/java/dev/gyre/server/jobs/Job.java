package dev.gyre.server.jobs;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A job that waits or runs, and its events. One thread runs it, another listens. */
public final class Job {
    /** A listener this many events behind gets no more events of steps, only of pictures. */
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

    /** Cancels it: it leaves the queue, or ends within a step. */
    public void cancel() {
        cancelled = true;
    }

    boolean isCancelled() {
        return cancelled;
    }

    /** Whether its time is over, waiting included. */
    public boolean isLate() {
        return System.nanoTime() - deadline > 0;
    }

    void tell(Event event) {
        boolean small = event instanceof Event.Stepped || event instanceof Event.Waiting || event instanceof Event.Look;
        if (!small || events.size() < BEHIND) events.add(event);
    }

    /** The next event, if it comes in time. */
    public Optional<Event> next(Duration wait) throws InterruptedException {
        return Optional.ofNullable(events.poll(wait.toMillis(), TimeUnit.MILLISECONDS));
    }
}
