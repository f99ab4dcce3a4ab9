/**
 * Sweeps: prompts with every combination of settings, drawn into an Arrow table that says how each picture came about. A sweep can be
 * ended at any time and goes on where it was.
 */
package dev.gyre.experiments;
