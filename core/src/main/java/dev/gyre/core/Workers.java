package dev.gyre.core;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;

/**
 * Threads that share the pieces of a loop. The calling thread takes part. Each thread has its own {@link Scratch}.
 * Pieces run in any order on any thread, so they must be independent.
 */
public final class Workers implements AutoCloseable {
    /** One piece of a loop. */
    @FunctionalInterface
    public interface Piece {
        /** Runs piece {@code index}; {@code scratch} belongs to the thread, contents undefined. */
        void run(int index, Scratch scratch);
    }

    /** A range of a loop. */
    @FunctionalInterface
    public interface Range {
        /** Does iterations {@code begin} to {@code begin + count - 1}. */
        void run(int begin, int count);
    }

    /**
     * Nanoseconds for which a thread spins for more work before it sleeps: waking a thread takes longer than many small
     * ops, and ops follow each other closely.
     */
    private static final long SPIN_NANOS = 50_000;

    private final int threads;
    private final long spinNanos; // 0 where threads outnumber the processors
    private final ThreadPoolExecutor pool;
    private final ThreadLocal<Scratch> scratch = ThreadLocal.withInitial(Scratch::new);

    /**
     * @param threads in total, the caller's included
     * @throws IllegalArgumentException when there are none
     */
    public Workers(int threads) {
        if (threads < 1) throw new IllegalArgumentException("threads: at least 1, got " + threads);
        this.threads = threads;
        spinNanos = threads <= Runtime.getRuntime().availableProcessors() ? SPIN_NANOS : 0;
        AtomicInteger number = new AtomicInteger();
        int own = Math.max(1, threads - 1);
        pool = new ThreadPoolExecutor(own, own, 30, TimeUnit.SECONDS, new Tasks(spinNanos), run -> {
            Thread thread = new Thread(run, "gyre-worker-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
        pool.allowCoreThreadTimeOut(true);
    }

    /** The number of threads, the caller's included. */
    public int threads() {
        return threads;
    }

    /** Runs pieces 0 to {@code pieces - 1} and returns when all are done. Rethrows the first failure. */
    public void run(int pieces, Piece piece) {
        int helpers = Math.min(threads, pieces) - 1;
        AtomicInteger next = new AtomicInteger();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        CountDownLatch done = new CountDownLatch(Math.max(0, helpers));
        for (int i = 0; i < helpers; i++)
            pool.execute(() -> {
                work(next, pieces, piece, failure);
                done.countDown();
            });
        work(next, pieces, piece, failure);
        spinUntil(spinNanos, () -> done.getCount() == 0);
        boolean interrupted = false;
        // A running piece uses memory that the caller may free: keep waiting, and restore the interrupt afterwards.
        while (true)
            try {
                done.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        if (interrupted) Thread.currentThread().interrupt();
        Throwable thrown = failure.get();
        if (thrown instanceof RuntimeException e) throw e;
        if (thrown instanceof Error e) throw e;
    }

    private void work(AtomicInteger next, int pieces, Piece piece, AtomicReference<Throwable> failure) {
        try {
            Scratch mine = scratch.get();
            for (int i = next.getAndIncrement(); i < pieces && failure.get() == null; i = next.getAndIncrement())
                piece.run(i, mine);
        } catch (RuntimeException | Error e) {
            failure.compareAndSet(null, e);
        }
    }

    /** Divides the range 0 to {@code count - 1} into pieces of at least {@code grain}, several for each thread. */
    public void range(int count, int grain, Range range) {
        if (count == 0) return;
        int pieces = (int) Math.min((long) threads * 4, Math.max(1, count / Math.max(1, grain)));
        run(pieces, (i, unused) -> {
            int begin = (int) ((long) count * i / pieces), end = (int) ((long) count * (i + 1) / pieces);
            range.run(begin, end - begin);
        });
    }

    /** Spins until a condition holds, at most for some nanoseconds. */
    private static void spinUntil(long nanos, BooleanSupplier holds) {
        if (nanos == 0) return;
        long start = System.nanoTime();
        while (!holds.getAsBoolean() && System.nanoTime() - start < nanos) Thread.onSpinWait();
    }

    /** The pool's queue. */
    private static final class Tasks extends LinkedBlockingQueue<Runnable> {
        private static final long serialVersionUID = 1;

        private final long spinNanos;

        Tasks(long look) {
            this.spinNanos = look;
        }

        @Override
        public Runnable poll(long timeout, TimeUnit unit) throws InterruptedException {
            spinUntil(spinNanos, () -> !isEmpty());
            return super.poll(timeout, unit);
        }
    }

    /** Shuts the threads down. */
    @Override
    public void close() {
        pool.shutdown();
    }
}
