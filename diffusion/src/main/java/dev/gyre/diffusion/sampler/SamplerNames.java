package dev.gyre.diffusion.sampler;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Finds samplers by the names of several tools. */
final class SamplerNames {
    private static final Map<String, Sampler> NAMES = names();

    private SamplerNames() {}

    static Sampler find(String name) {
        String wanted = plain(name);
        Sampler sampler = NAMES.get(wanted);
        if (sampler != null) return sampler;
        for (Schedule schedule : Spacing.values()) {
            for (String alias : schedule.aliases()) {
                String suffix = plain(alias);
                Sampler bare = wanted.endsWith(suffix)
                        ? NAMES.get(wanted.substring(0, wanted.length() - suffix.length()))
                        : null;
                if (bare != null) return bare.on(schedule);
            }
        }
        throw new IllegalArgumentException("unknown sampler \"" + name + "\"; there are "
                + Sampler.ALL.stream().map(s -> s.aliases().get(0)).collect(Collectors.joining(", ")));
    }

    private static Map<String, Sampler> names() {
        Map<String, Sampler> names = new LinkedHashMap<>();
        for (Sampler sampler : Sampler.ALL)
            Stream.concat(Stream.of(sampler.displayName()), sampler.aliases().stream())
                    .forEach(name -> names.put(plain(name), sampler));
        names.put(plain("DPMSolverMultistepScheduler"), new Dpmpp2M().on(Spacing.TIME_UNIFORM));
        names.put(plain("ddim_trailing"), new Ddim(0).on(Spacing.TRAILING));
        return names;
    }

    /** Normalized for comparison; ++ is also written pp. */
    private static String plain(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("[\\s_-]", "").replace("dpmpp", "dpm++");
    }
}
