package dev.gyre.cli;

import dev.gyre.diffusion.request.Range;
import dev.gyre.diffusion.settings.Setting;
import dev.gyre.diffusion.settings.SettingProvider;
import dev.gyre.diffusion.settings.Tool;
import java.util.List;
import java.util.Optional;

/** A setting that only these tests have, declared as those of the table are: another view of a number that requests have. */
public final class AddedSetting implements SettingProvider {
    static final Setting SHIFT = Setting.integer("noise-shift", "N", Range.of(0, 9))
            .in(Setting.Group.NOISE)
            .help("Shifts the seed of the steps' noise.")
            .known(Tool.INFOTEXT, "Shift")
            .known(Tool.WEBUI, "seed_shift")
            .known(Tool.SDCPP, "--shift-noise")
            .stored(
                    (request, n) -> request.with(request.noise().stepSeedDelta(n)),
                    request -> Optional.of((int) request.noise().stepSeedDelta()));

    @Override
    public List<Setting> settings() {
        return List.of(SHIFT);
    }
}
