package dev.gyre.core;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;

/**
 * A thread pool for parallel loops. The calling thread works too. Each thread has its own {@link Scratch}. Any thread may take any piece in
 * any order, so pieces must be independent.
 */
public final class Workers implements AutoCloseable {
    /** The body of a loop over pieces. */
    @FunctionalInterface
    public interface Piece {
        /** Runs piece {@code index}; {@code scratch} belongs to the thread, with undefined contents. */
        void run(int index, Scratch scratch);
    }

    /** The body of a loop over ranges of iterations. */
    @FunctionalInterface
    public interface Range {
        /** Runs iterations {@code begin} to {@code begin + count - 1}. */
        void run(int begin, int count);
    }

    /**
     * How long an idle thread spins before it sleeps, in nanoseconds: waking a thread takes longer than many small ops, and ops follow
     * closely upon one another.
     */
    private static final long SPIN_NANOS = 50_000;

    private final int threads;
    private final long spinNanos; // 0 if there are more threads than processors
    private final ThreadPoolExecutor pool;
    private final ThreadLocal<Scratch> scratch = ThreadLocal.withInitial(Scratch::new);

    /** A pool of {@code threads} threads, including the calling thread. */
    public Workers(int threads) {
        if (threads < 1) throw new IllegalArgumentException("at least 1 thread is needed, got " + threads);
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

    /** The number of threads, including the calling thread. */
    public int threads() {
        return threads;
    }

    /** Runs pieces 0 to {@code pieces - 1} and returns when all are done. Rethrows the first exception of a piece; the rest are skipped. */
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
        // A running piece uses memory that the caller may free: wait, and restore the interrupt afterwards.
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

    /** Splits iterations 0 to {@code count - 1} into ranges of at least {@code grain}, up to four per thread, and runs them. */
    public void range(int count, int grain, Range range) {
        if (count == 0) return;
        int pieces = (int) Math.min((long) threads * 4, Math.max(1, count / Math.max(1, grain)));
        run(pieces, (i, unused) -> {
            int begin = (int) ((long) count * i / pieces), end = (int) ((long) count * (i + 1) / pieces);
            range.run(begin, end - begin);
        });
    }

    /** Spins until a condition holds, for at most {@code nanos} nanoseconds. */
    private static void spinUntil(long nanos, BooleanSupplier holds) {
        if (nanos == 0) return;
        long start = System.nanoTime();
        while (!holds.getAsBoolean() && System.nanoTime() - start < nanos) Thread.onSpinWait();
    }

    /** What the pool's threads take their tasks from. */
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

    /** Ends the threads. */
    @Override
    public void close() {
        pool.shutdown();
    }
}
