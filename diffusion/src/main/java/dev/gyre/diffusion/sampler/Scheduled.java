package dev.gyre.diffusion.sampler;

import java.util.List;

/** A sampler on a schedule other than its own. */
public record Scheduled(Sampler sampler, Schedule schedule) implements Sampler {
    @Override
    public Stepper stepper(SamplingRun run) {
        return sampler.stepper(run);
    }

    @Override
    public Sigmas levels(Sigmas scheduled) {
        return sampler.levels(scheduled);
    }

    @Override
    public Sampler on(Schedule other) {
        return sampler.on(other);
    }

    @Override
    public Sampler bare() {
        return sampler;
    }

    @Override
    public Sampler withEta(double eta) {
        return sampler.withEta(eta).on(schedule);
    }

    @Override
    public String displayName() {
        return sampler.displayName();
    }

    @Override
    public List<String> aliases() {
        return sampler.aliases();
    }
}
