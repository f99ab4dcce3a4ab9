package uk.ac.manchester.tornado.api;

/** A thread's place in its grid, and its group's memory, as CUDA has them. In plain Java there is one thread, the first. */
public class KernelContext {
    public final Integer globalIdx = 0;
    public final Integer globalIdy = 0;
    public final Integer globalIdz = 0;
    public final Integer groupIdx = 0;
    public final Integer groupIdy = 0;
    public final Integer groupIdz = 0;
    public final Integer localIdx = 0;
    public final Integer localIdy = 0;
    public final Integer localIdz = 0;
    public final Integer globalGroupSizeX = 0;
    public final Integer globalGroupSizeY = 0;
    public final Integer globalGroupSizeZ = 0;
    public final Integer localGroupSizeX = 0;
    public final Integer localGroupSizeY = 0;
    public final Integer localGroupSizeZ = 0;

    public KernelContext() {}

    /** Waits for the group; nothing to wait for here. */
    public void localBarrier() {}

    public void globalBarrier() {}

    public float[] allocateFloatLocalArray(int size) {
        return new float[size];
    }

    public int[] allocateIntLocalArray(int size) {
        return new int[size];
    }
}
