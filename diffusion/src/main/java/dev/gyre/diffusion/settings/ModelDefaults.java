package dev.gyre.diffusion.settings;

import dev.gyre.diffusion.family.Defaults;
import dev.gyre.diffusion.request.Request;

/** The settings for which a model has values of its own. */
public final class ModelDefaults {
    private ModelDefaults() {}

    /** A family's defaults as values of settings. */
    public static SettingValues of(Defaults model) {
        Request request = Settings.BLANK.size(model.side(), model.side());
        if (model.steps().isPresent()) request = request.steps(model.steps().getAsInt());
        if (model.guidance().isPresent())
            request = request.guidance(model.guidance().getAsDouble());
        if (model.sampler().isPresent())
            request = request.sampler(model.sampler().get());
        SettingValues values = SettingValues.NONE;
        for (Setting setting : new Setting[] {Settings.SIZE, Settings.STEPS, Settings.GUIDANCE, Settings.SAMPLER}) {
            var value = setting.text(request);
            if (value.isPresent()) values = values.with(setting, value.get());
        }
        return values;
    }
}
