/**
 * Sweeps: every prompt with every combination of settings, as an Arrow table that records how each picture was generated. A sweep can be
 * interrupted at any time and resumes where it stopped.
 */
package dev.gyre.experiments;
