package dev.gyre.diffusion.settings;

import dev.gyre.diffusion.request.Request;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Settings and their values, as text, in the order of {@link Settings#ALL}. */
public final class SettingValues {
    /** Of no setting. */
    public static final SettingValues NONE = new SettingValues(Map.of());

    private final Map<Setting, String> values;

    private SettingValues(Map<Setting, String> values) {
        Map<Setting, String> ordered = new LinkedHashMap<>();
        for (Setting setting : Settings.ALL) if (values.containsKey(setting)) ordered.put(setting, values.get(setting));
        this.values = Collections.unmodifiableMap(ordered);
    }

    /** With these values. */
    public static SettingValues of(Map<Setting, String> values) {
        return new SettingValues(values);
    }

    /**
     * With values by names, Gyre's or other tools'; {@code width} and {@code height} are a size together.
     *
     * @throws IllegalArgumentException when a name is no setting's, when two stand for one, or when of width and height one is missing
     */
    public static SettingValues named(Map<String, String> values) {
        Map<Setting, String> settings = new LinkedHashMap<>();
        Map<String, String> sides = new LinkedHashMap<>();
        values.forEach((name, value) -> {
            if (Settings.isSide(name)) {
                sides.put(Settings.normal(name), value);
                return;
            }
            Setting setting = Settings.named(name, value)
                    .orElseThrow(() -> new IllegalArgumentException("there is no setting \"" + name + "\""));
            if (settings.put(setting, value) != null)
                throw new IllegalArgumentException(setting.label() + ": given twice, the second time as " + name);
        });
        if (!sides.isEmpty() && settings.put(Settings.SIZE, size(sides)) != null)
            throw new IllegalArgumentException("size: given twice, the second time as width and height");
        return new SettingValues(settings);
    }

    private static String size(Map<String, String> sides) {
        String width = sides.get(Settings.WIDTH), height = sides.get(Settings.HEIGHT);
        if (width == null) throw new IllegalArgumentException("height: goes with width, which is missing");
        if (height == null) throw new IllegalArgumentException("width: goes with height, which is missing");
        return width + "x" + height;
    }

    /** With another setting, or another value for it. */
    public SettingValues with(Setting setting, String value) {
        Map<Setting, String> more = new LinkedHashMap<>(values);
        more.put(setting, value);
        return new SettingValues(more);
    }

    /** These, and where they say nothing those of others. */
    public SettingValues or(SettingValues others) {
        Map<Setting, String> all = new LinkedHashMap<>(others.values);
        all.putAll(values);
        return new SettingValues(all);
    }

    /** A setting's value. */
    public Optional<String> get(Setting setting) {
        return Optional.ofNullable(values.get(setting));
    }

    /** Settings and their values. */
    public Map<Setting, String> asMap() {
        return values;
    }

    /**
     * The request with these settings.
     *
     * @throws IllegalArgumentException when a value makes no sense, naming the setting
     */
    public Request apply(Request request) {
        return apply(request, NONE);
    }

    /**
     * The request with these settings, and where they say nothing with an operator's; of those, what does nothing for this request is
     * left out.
     *
     * @throws IllegalArgumentException when a value makes no sense, naming the setting
     */
    public Request apply(Request request, SettingValues operator) {
        for (Map.Entry<Setting, String> one : or(operator).values.entrySet()) {
            Setting setting = one.getKey();
            try {
                request = setting.apply(request, one.getValue());
            } catch (IllegalArgumentException e) {
                // An operator's η, say, is not for every sampler that a request may ask for.
                if (values.containsKey(setting)) throw e;
            }
        }
        return request;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SettingValues that && values.equals(that.values);
    }

    @Override
    public int hashCode() {
        return values.hashCode();
    }

    @Override
    public String toString() {
        return values.toString();
    }
}
