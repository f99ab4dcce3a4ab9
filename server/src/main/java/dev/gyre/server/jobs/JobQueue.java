package dev.gyre.server.jobs;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Jobs in order of arrival. A worker takes the first together with those right behind it that fit into a batch; so nobody is overtaken.
 */
public final class JobQueue {
    /** The queue is full. */
    public static final class Full extends RuntimeException {
        private static final long serialVersionUID = 1;
        private final Duration retryAfter;

        Full(Duration retryAfter) {
            super("the queue is full", null, false, false);
            this.retryAfter = retryAfter;
        }

        public Duration retryAfter() {
            return retryAfter;
        }
    }

    /** The queue takes no more jobs. */
    public static final class Closed extends RuntimeException {
        private static final long serialVersionUID = 1;

        Closed() {
            super("the service is being stopped", null, false, false);
        }
    }

    /** The weight of the last job in the moving average. */
    private static final double LAST = 0.2;

    private final int capacity;
    private final Duration time;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<Job> waiting = new ArrayDeque<>();
    private List<Job> running = List.of();
    private boolean closed;
    private double seconds = 5; // moving average of a job's time

    /**
     * @param capacity the most jobs that wait
     * @param time a job's time limit, waiting included
     */
    public JobQueue(int capacity, Duration time) {
        this.capacity = capacity;
        this.time = time;
    }

    /** @throws Full when a later try may succeed; @throws Closed when none will */
    public Job submit(JobSpec order) {
        lock.lock();
        try {
            if (closed) throw new Closed();
            drop();
            if (waiting.size() >= capacity)
                throw new Full(Duration.ofMillis((long) (1000 * Math.clamp(seconds, 1, 60))));
            Job job = new Job(order, time);
            waiting.add(job);
            job.tell(new Event.Waiting(waiting.size() - 1 + (running.isEmpty() ? 0 : 1)));
            changed.signalAll();
            return job;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits for the next jobs, which fit into one batch. Those taken before count as done.
     *
     * @param most pictures of the batch
     * @return empty when the queue is closed and empty
     */
    List<Job> take(int most) throws InterruptedException {
        lock.lock();
        try {
            running = List.of();
            changed.signalAll();
            while (true) {
                drop();
                if (!waiting.isEmpty()) break;
                if (closed) return List.of();
                changed.await();
            }
            List<Job> taken = new ArrayList<>(List.of(waiting.poll()));
            JobSpec first = taken.get(0).order();
            int pictures = first.request().batch();
            while (!waiting.isEmpty() && first.goesWith(waiting.peek().order())) {
                pictures += waiting.peek().order().request().batch();
                if (pictures > most) break;
                taken.add(waiting.poll());
            }
            running = taken;
            int position = 1;
            for (Job job : waiting) job.tell(new Event.Waiting(position++));
            return taken;
        } finally {
            lock.unlock();
        }
    }

    /** Drops cancelled jobs. */
    private void drop() {
        waiting.removeIf(Job::isCancelled);
    }

    void took(Duration duration) {
        lock.lock();
        try {
            seconds += LAST * (duration.toNanos() / 1e9 - seconds);
        } finally {
            lock.unlock();
        }
    }

    public int waiting() {
        lock.lock();
        try {
            return waiting.size();
        } finally {
            lock.unlock();
        }
    }

    public int running() {
        lock.lock();
        try {
            return running.size();
        } finally {
            lock.unlock();
        }
    }

    public boolean isClosed() {
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }

    /** Takes no more jobs, gives those it has some time, and cancels the rest. */
    public void close(Duration grace) throws InterruptedException {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
            long left = grace.toNanos();
            while (left > 0 && !(waiting.isEmpty() && running.isEmpty())) left = changed.awaitNanos(left);
            for (Job job : waiting) job.tell(new Event.Failed(new Closed()));
            waiting.clear();
            running.forEach(Job::cancel);
        } finally {
            lock.unlock();
        }
    }
}
