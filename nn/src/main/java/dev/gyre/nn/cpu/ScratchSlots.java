package dev.gyre.nn.cpu;

/**
 * Assigns a thread's {@link dev.gyre.core.Scratch} arrays to their users, so that no two arrays in use at the same time
 * are the same.
 */
public final class ScratchSlots {
    private ScratchSlots() {}

    // floats
    public static final int A_PANELS = 0, LINE = 1, GATHERED = 2, A_PANEL = 3, PRODUCT = 4;
    public static final int MAX = 5, TOTAL = 6, RESCALE = 7, ALL_MAX = 8, ALL_TOTAL = 9, CORRECTION = 10;
    public static final int KEYS = 11, VALUES = 12, PANEL_SUMS = 13, CHAINS = 14, ROWS_TO_TRANSPOSE = 15;

    // rows
    public static final int B_PANELS = 0, C_PANELS = 1, SUMS = 2;
    public static final int QUERIES = 4, SCORES = 5;
    public static final int TAPS = 6, WEIGHTS = 7, PARTIAL_WEIGHTS = 8, INPUTS = 9, PARTIAL_INPUTS = 10, OUTPUTS = 11;
}
