package dev.gyre.nn.cpu;

import java.lang.foreign.MemorySegment;

/** A destination of C that takes whole panels from where machine code wrote them. */
@FunctionalInterface
public interface PanelOutput {
    /**
     * Stores a panel.
     *
     * @param panel [rows][NR] floats, of which the first {@code width} columns are valid
     * @param row the panel's first row in C
     * @param column the panel's first column in C
     */
    void store(MemorySegment panel, int row, int rows, int column, int width);
}
