package dev.gyre.server.jobs;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Jobs in the order they came. A device takes the first, with those right behind it that go together with it; so nobody is overtaken.
 */
public final class JobQueue {
    /** There are as many jobs as may wait. */
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

    /** It takes no more jobs. */
    public static final class Closed extends RuntimeException {
        private static final long serialVersionUID = 1;

        Closed() {
            super("the service is being stopped", null, false, false);
        }
    }

    /** How much the last job counts in the average. */
    private static final double LAST = 0.2;

    private final int capacity;
    private final Duration time;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<Job> waiting = new ArrayDeque<>();
    private List<Job> running = List.of();
    private boolean closed;
    private double seconds = 5; // that a job takes, on average

    /**
     * @param capacity jobs that wait
     * @param time that a job may take, waiting included
     */
    public JobQueue(int capacity, Duration time) {
        this.capacity = capacity;
        this.time = time;
    }

    /** @throws Full when it has to be tried again later; @throws Closed when that is no use */
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
     * The next jobs, all of which go together; waits for one. Those taken before are done.
     *
     * @param most jobs at once
     * @return empty when there are none and will be none
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

    /** Those that nobody wants any more. */
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

    /** Takes no more jobs, gives those that it has some time, and cancels what is left then. */
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
