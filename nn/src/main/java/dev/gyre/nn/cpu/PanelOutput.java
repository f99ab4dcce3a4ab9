package dev.gyre.nn.cpu;

import java.lang.foreign.MemorySegment;

/** A product that takes its strips from where machine code left them. */
@FunctionalInterface
public interface PanelOutput {
    /**
     * Takes a strip to where it belongs.
     *
     * @param strip [rows][a strip's width] floats, of which {@code width} columns count
     * @param row of the product at which it begins
     * @param column likewise
     */
    void store(MemorySegment strip, int row, int rows, int column, int width);
}
