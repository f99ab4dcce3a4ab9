package uk.ac.manchester.tornado.api;

import uk.ac.manchester.tornado.api.enums.MMAShape;
import uk.ac.manchester.tornado.api.types.HalfFloat;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

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

    /** A warp's 16 × 8 sums, all of them {@code v}: 4 to a lane. In plain Java the rest of a product does nothing. */
    public float[] mmaFragment(float v) {
        return new float[] {v, v, v, v};
    }

    /** A warp's 16 × 16 left side: rows of 16 halves, two in an int, from a byte on. 8 come to a lane. */
    public HalfFloat[] mmaLoadA(int[] aTile, int wmmaK, int byteOffset) {
        return new HalfFloat[8];
    }

    /** A warp's 16 × 8 right side: rows of 8 halves, two in an int, from a byte on. 4 come to a lane. */
    public HalfFloat[] mmaLoadB(int[] bTile, int wmmaK, int byteOffset) {
        return new HalfFloat[4];
    }

    /** The sums, to which a warp's product of both sides is added. */
    public float[] mma(HalfFloat[] fragA, HalfFloat[] fragB, float[] fragC, MMAShape mmaShape) {
        return fragC;
    }

    /** Writes a warp's 16 × 8 sums into rows of {@code dimN}. */
    public void mmaStore(float[] fragD, FloatArray c, int tileRow, int tileCol, int dimN) {}

    /** The sum over a warp, for its first lane. In plain Java a warp has one lane. */
    public float simdSum(float val) {
        return val;
    }

    /** The value of the lane {@code delta} ahead in the warp. */
    public float simdShuffleDown(float val, int delta) {
        return val;
    }

    /** The value of the warp's first lane. */
    public float simdBroadcastFirst(float val) {
        return val;
    }
}
