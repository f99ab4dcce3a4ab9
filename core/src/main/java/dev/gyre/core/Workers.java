package dev.gyre.core;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;

/**
 * Threads that share out a loop's pieces. The calling thread works too. Each thread has its own {@link Scratch}. Pieces are taken
 * in any order by any thread, so no piece may depend on another.
 */
public final class Workers implements AutoCloseable {
    /** What one piece does. */
    @FunctionalInterface
    public interface Piece {
        /** Does piece {@code index}; {@code scratch} is the thread's own and holds nothing that is to last. */
        void run(int index, Scratch scratch);
    }

    /** What a stretch of a loop does. */
    @FunctionalInterface
    public interface Range {
        /** Does iterations {@code begin} to {@code begin + count - 1}. */
        void run(int begin, int count);
    }

    /**
     * Nanoseconds for which a thread looks for more to do before it sleeps: waking one takes longer than many a small op, and ops
     * follow one another closely.
     */
    private static final long SPIN_NANOS = 50_000;

    private final int threads;
    private final long spinNanos; // none where threads would take the processors from one another
    private final ThreadPoolExecutor pool;
    private final ThreadLocal<Scratch> scratch = ThreadLocal.withInitial(Scratch::new);

    /** Workers on {@code threads} threads in all, the caller's included. */
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

    /** How many threads work, the caller's included. */
    public int threads() {
        return threads;
    }

    /** Runs pieces 0 to {@code pieces - 1} and returns when all are done; the first failure is thrown here. */
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
        // A piece that still runs uses memory that the caller may free: wait, and remember the interrupt.
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

    /** Cuts the range 0 to {@code count - 1} into stretches of at least {@code grain}, some for each thread. */
    public void range(int count, int grain, Range range) {
        if (count == 0) return;
        int pieces = (int) Math.min((long) threads * 4, Math.max(1, count / Math.max(1, grain)));
        run(pieces, (i, unused) -> {
            int begin = (int) ((long) count * i / pieces), end = (int) ((long) count * (i + 1) / pieces);
            range.run(begin, end - begin);
        });
    }

    /** Waits without sleeping until something holds, for some nanoseconds at most. */
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

    /** Lets the threads go. */
    @Override
    public void close() {
        pool.shutdown();
    }
}
