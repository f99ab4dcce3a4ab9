package dev.gyre.diffusion.sampler;

import java.util.List;
import java.util.Locale;

/** The spacing of a sampler's noise levels. */
public interface Schedule {
    /**
     * The levels of so many steps.
     *
     * @param noise the noise schedule that the model was trained on
     * @param steps 1 to 1000
     * @return steps + 1 levels, the last 0
     */
    Sigmas levels(NoiseSchedule noise, int steps);

    /** The name in PNG parameters, AUTOMATIC1111's where it has one. */
    String displayName();

    /** Other names. */
    List<String> aliases();

    /**
     * The schedule of this name, in the spelling of diffusers, AUTOMATIC1111 or stable-diffusion.cpp; case does not matter.
     *
     * @throws IllegalArgumentException listing all schedules
     */
    static Schedule named(String name) {
        String wanted = name.toLowerCase(Locale.ROOT);
        for (Schedule schedule : Spacing.values()) {
            if (schedule.displayName().toLowerCase(Locale.ROOT).equals(wanted)
                    || schedule.aliases().contains(wanted)) return schedule;
        }
        throw new IllegalArgumentException("unknown schedule \"" + name + "\"; there are "
                + String.join(
                        ", ",
                        List.of(Spacing.values()).stream()
                                .map(s -> s.aliases().get(0))
                                .toList()));
    }
}
