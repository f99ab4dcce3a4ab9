package dev.gyre.nn.check;

import dev.gyre.core.KernelCall;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Semaphore;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.enums.MMAShape;
import uk.ac.manchester.tornado.api.types.HalfFloat;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Emulates a kernel of work groups: threads run in random order, one at a time and each until it waits at a barrier, so
 * that a missing barrier gives wrong results; local memory initially holds garbage; and tensor core instructions follow
 * the PTX ISA's {@code ldmatrix} and {@code mma.m16n8k16}, with the addresses that TornadoVM 5.2 passes. Products and
 * sums are in double precision, rounded once per instruction.
 */
final class WorkGroupEmulator {
    private static final int WARP = 32;

    private final int threads;
    private final int group;
    private final Random random;
    private final Semaphore turn = new Semaphore(1);
    private final List<CyclicBarrier> barriers = new ArrayList<>(); // of the work group, then of each warp
    private final Map<Integer, Object> local = new HashMap<>();
    private final Object[] shown; // what each thread shares with its warp
    private Throwable failure;

    private WorkGroupEmulator(int threads, int group) {
        this.threads = threads;
        this.group = group;
        random = new Random(group);
        shown = new Object[threads];
        barriers.add(new CyclicBarrier(threads));
        for (int warp = 0; warp < threads / WARP; warp++) barriers.add(new CyclicBarrier(WARP));
    }

    /** Runs all work groups of a call, with arguments from {@link KernelCall#bind}. */
    static void run(KernelCall step, Object[] arguments) {
        for (int group = 0; group < step.range() / step.group(); group++)
            new WorkGroupEmulator(step.group(), group).run(step.kernel(), arguments);
    }

    private void run(Object kernel, Object[] arguments) {
        List<Thread> all = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            int thread = i;
            all.add(random.nextInt(all.size() + 1), Thread.ofVirtual().unstarted(() -> run(kernel, thread, arguments)));
        }
        all.forEach(Thread::start);
        try {
            for (Thread thread : all) thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        if (failure != null) throw new IllegalStateException("group " + group, failure);
    }

    private void run(Object kernel, int thread, Object[] arguments) {
        turn.acquireUninterruptibly();
        try {
            call(kernel, new Context(thread), arguments);
        } catch (RuntimeException | Error e) {
            if (failure == null) failure = e;
            barriers.forEach(CyclicBarrier::reset);
        } finally {
            turn.release();
        }
    }

    /** By the functional interface of its number of parameters, {@code Task3} to {@code Task20}. */
    private static void call(Object kernel, KernelContext context, Object[] arguments) {
        Object[] all = new Object[arguments.length + 1];
        all[0] = context;
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        Method apply = Arrays.stream(kernel.getClass().getInterfaces())
                .flatMap(type -> Arrays.stream(type.getMethods()))
                .filter(method -> method.getName().equals("apply"))
                .findFirst()
                .orElseThrow();
        try {
            apply.invoke(kernel, all);
        } catch (InvocationTargetException e) {
            throw new IllegalStateException(e.getCause());
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    private void await(int barrier) {
        turn.release();
        try {
            barriers.get(barrier).await();
        } catch (InterruptedException | BrokenBarrierException e) {
            throw new IllegalStateException("another thread of the group failed, or went another way", e);
        } finally {
            turn.acquireUninterruptibly();
        }
    }

    /** The context of one thread. */
    private final class Context extends KernelContext {
        private final int thread, lane, warp;
        private int allocated;

        Context(int thread) {
            this.thread = thread;
            lane = thread % WARP;
            warp = thread / WARP;
            set("groupIdx", group);
            set("localIdx", thread);
            set("globalIdx", group * threads + thread);
            set("localGroupSizeX", threads);
        }

        /** TornadoVM's compiler replaces these fields; nothing else assigns them. */
        private void set(String name, int value) {
            try {
                Field field = KernelContext.class.getField(name);
                field.setAccessible(true);
                field.set(this, value);
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void localBarrier() {
            await(0);
        }

        @Override
        public int[] allocateIntLocalArray(int size) {
            return (int[])
                    local.computeIfAbsent(allocated++, i -> random.ints(size).toArray());
        }

        @Override
        public float[] allocateFloatLocalArray(int size) {
            return (float[]) local.computeIfAbsent(allocated++, i -> {
                float[] garbage = new float[size];
                Arrays.fill(garbage, Float.NaN);
                return garbage;
            });
        }

        @Override
        public HalfFloat[] mmaLoadA(int[] aTile, int wmmaK, int byteOffset) {
            require(wmmaK);
            // The lane's row is the first or last 8 of 16 rows of 32 bytes, and its left or right half.
            return matrices(aTile, byteOffset + (lane % 8 + lane / 8 % 2 * 8) * 32 + lane / 16 * 16, 4, false);
        }

        @Override
        public HalfFloat[] mmaLoadB(int[] bTile, int wmmaK, int byteOffset) {
            require(wmmaK);
            // 16 rows of 16 bytes; the addresses of lanes from 16 on are ignored.
            return matrices(bTile, byteOffset + lane % 8 * 16 + lane / 8 % 2 * 128, 2, true);
        }

        private void require(int depth) {
            if (depth != 16) throw new IllegalArgumentException("16 steps of the sum in 16 bits, got " + depth);
        }

        /**
         * {@code ldmatrix}: lane 8 m + r gives the address of row r of matrix m, 8 F16 elements; of each matrix every lane gets two
         * neighbours of row lane / 4, or of that column where it is transposed.
         */
        private HalfFloat[] matrices(int[] tile, int address, int count, boolean transposed) {
            if (address % 16 != 0) throw new IllegalStateException("address " + address + " is none of a row");
            Object[] rows = together(address);
            HalfFloat[] mine = new HalfFloat[2 * count];
            for (int i = 0; i < mine.length; i++) {
                int matrix = i / 2, row = lane / 4, column = lane % 4 * 2 + i % 2;
                int at = (int) rows[matrix * 8 + (transposed ? column : row)] / 2 + (transposed ? row : column);
                mine[i] = new HalfFloat((short) (tile[at / 2] >> at % 2 * 16));
            }
            return mine;
        }

        /** The position of a lane's elements: rows of A and C, columns of B and C, and steps of K, by the PTX ISA's figures. */
        @Override
        public float[] mma(HalfFloat[] fragA, HalfFloat[] fragB, float[] fragC, MMAShape mmaShape) {
            if (mmaShape != MMAShape.M16N8K16) throw new IllegalArgumentException(mmaShape + " is not of 16 bits");
            Object[] all = together(new Object[] {fragA, fragB});
            double[][] a = new double[16][16], b = new double[16][8];
            for (int other = 0; other < WARP; other++) {
                HalfFloat[] left = (HalfFloat[]) ((Object[]) all[other])[0];
                HalfFloat[] right = (HalfFloat[]) ((Object[]) all[other])[1];
                int groupId = other >> 2, threadInGroup = other % 4;
                for (int i = 0; i < 8; i++) {
                    boolean upper = i < 2 || i >= 4 && i < 6;
                    a[upper ? groupId : groupId + 8][threadInGroup * 2 + (i & 1) + (i >= 4 ? 8 : 0)] =
                            left[i].getFloat32();
                }
                for (int i = 0; i < 4; i++)
                    b[threadInGroup * 2 + (i & 1) + (i >= 2 ? 8 : 0)][groupId] = right[i].getFloat32();
            }
            float[] sums = new float[4];
            for (int i = 0; i < 4; i++) {
                double sum = fragC[i];
                for (int k = 0; k < 16; k++) sum += a[row(i)][k] * b[k][column(i)];
                sums[i] = (float) sum;
            }
            return sums;
        }

        private int row(int i) {
            return (lane >> 2) + (i < 2 ? 0 : 8);
        }

        private int column(int i) {
            return lane % 4 * 2 + (i & 1);
        }

        @Override
        public void mmaStore(float[] fragD, FloatArray c, int tileRow, int tileCol, int dimN) {
            for (int i = 0; i < 4; i++) c.set((tileRow + row(i)) * dimN + tileCol + column(i), fragD[i]);
        }

        /** The first lane has the sum; the others have sums of fewer. */
        @Override
        public float simdSum(float val) {
            Object[] all = together(val);
            float sum = 0;
            for (int other = WARP - 1; other >= lane; other--) sum += (float) all[other];
            return sum;
        }

        /** A lane without another that far ahead gets its own value. */
        @Override
        public float simdShuffleDown(float val, int delta) {
            Object[] all = together(val);
            return (float) all[lane + delta < WARP ? lane + delta : lane];
        }

        @Override
        public float simdBroadcastFirst(float val) {
            return (float) together(val)[0];
        }

        /** What each lane of the warp shares, once all have. */
        private Object[] together(Object mine) {
            shown[thread] = mine;
            await(1 + warp);
            Object[] all = new Object[WARP];
            System.arraycopy(shown, warp * WARP, all, 0, WARP);
            await(1 + warp); // before anything else is shared
            return all;
        }
    }
}
