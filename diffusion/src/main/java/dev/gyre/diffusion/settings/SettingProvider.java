package dev.gyre.diffusion.settings;

import java.util.List;

/**
 * Adds settings to {@link Settings#ALL}, found by {@link java.util.ServiceLoader}: they appear wherever Gyre's own do, on the command
 * line, in sweeps, in the service, in PNGs and in the documentation.
 */
@FunctionalInterface
public interface SettingProvider {
    /** The settings, each with a name that no other has. */
    List<Setting> settings();
}
