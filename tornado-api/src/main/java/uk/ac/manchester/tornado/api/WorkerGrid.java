package uk.ac.manchester.tornado.api;

/** How many threads run a task, in up to three dimensions, and in groups of how many. */
public interface WorkerGrid {
    int dimension();

    long[] getGlobalWork();

    long[] getLocalWork();

    void setGlobalWork(long x, long y, long z);

    void setLocalWork(long x, long y, long z);
}
