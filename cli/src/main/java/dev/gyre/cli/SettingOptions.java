package dev.gyre.cli;

import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.settings.Setting;
import dev.gyre.diffusion.settings.SettingValues;
import dev.gyre.diffusion.settings.Settings;
import dev.gyre.diffusion.settings.Tool;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/** The options that the table of settings makes: Gyre's names in the help, other tools' accepted beside them. */
final class SettingOptions {
    private static final Map<String, List<String>> SIDES =
            Map.of("width", List.of("-W", "--width"), "height", List.of("-H", "--height"));

    private final List<Setting> settings;
    private final Map<String, String> given = new LinkedHashMap<>(); // by the names of settings, or of a side
    private final Map<String, String> options = new LinkedHashMap<>(); // that gave them

    /** Options for those settings of the table that a command has. */
    SettingOptions(Predicate<Setting> which) {
        settings = Settings.ALL.stream().filter(which).toList();
    }

    /**
     * Adds a section of options for each group of settings to a command.
     *
     * @param others annotated objects whose options go to a section as well, before the settings
     */
    void addSections(CommandSpec spec, Map<Setting.Group, Object> others) {
        for (Setting.Group group : Setting.Group.values()) {
            ArgGroupSpec.Builder section = section(group.title(), group.ordinal());
            boolean any = false;
            if (others.containsKey(group))
                for (OptionSpec option :
                        CommandSpec.forAnnotatedObject(others.get(group)).options()) {
                    section.addArg(OptionSpec.builder(option).build());
                    any = true;
                }
            for (Setting setting : settings)
                if (setting.group() == group && setting != Settings.PROMPT) {
                    section.addArg(option(spec, setting));
                    any = true;
                }
            if (any) spec.addArgGroup(section.build());
        }
        addOthers(spec);
    }

    /** Adds one section of options for all settings to a command. */
    void addSection(CommandSpec spec, String title) {
        ArgGroupSpec.Builder section = section(title, 0);
        for (Setting setting : settings) section.addArg(option(spec, setting));
        spec.addArgGroup(section.build());
        addOthers(spec);
    }

    private static ArgGroupSpec.Builder section(String title, int order) {
        return ArgGroupSpec.builder()
                .heading("%n" + title + ":%n")
                .validate(false)
                .order(order);
    }

    private OptionSpec option(CommandSpec spec, Setting setting) {
        List<String> names = new ArrayList<>();
        for (String other : setting.names(Tool.SDCPP)) if (!other.startsWith("--")) names.add(other);
        names.add(setting.option());
        return option(spec, names, setting.type(), (option, value) -> put(spec, setting.name(), option, value))
                .paramLabel(setting.placeholder())
                .description(description(setting).replace("%", "%%"))
                .completionCandidates(setting.choices().isEmpty() ? null : setting.choices())
                .build();
    }

    /** {@code Sampling steps. (default: 25)}. */
    static String description(Setting setting) {
        String help = setting.help();
        if (setting.choices().size() > 2) help += " One of " + String.join(", ", setting.choices()) + ".";
        boolean none =
                setting.type() == Setting.Type.FLAG || setting.standardInWords().equals("none");
        return none ? help : help + " (default: " + setting.standardInWords() + ")";
    }

    /** Takes a value from an option. */
    private interface Sink {
        void take(String option, String value);
    }

    private static OptionSpec.Builder option(CommandSpec spec, List<String> names, Setting.Type type, Sink sink) {
        String last = names.getLast();
        OptionSpec.Builder option = OptionSpec.builder(names.toArray(String[]::new))
                .type(
                        switch (type) {
                            case TEXT -> String.class;
                            case INTEGER -> Integer.class;
                            case LONG -> Long.class;
                            case NUMBER -> Double.class;
                            case FLAG -> Boolean.class;
                        })
                .arity(type == Setting.Type.FLAG ? "0" : "1");
        return option.setter(new picocli.CommandLine.Model.ISetter() {
            @Override
            public <T> T set(T value) {
                if (value != null) sink.take(last, value.toString());
                return null;
            }
        });
    }

    /** Of an option that stands twice the last holds; two names for one setting are a mistake. */
    private void put(CommandSpec spec, String name, String option, String value) {
        String before = options.put(name, option);
        if (before != null && !before.equals(option))
            throw new ParameterException(
                    spec.commandLine(), option + ": " + before + " is given, too, which is the same");
        given.put(name, value);
    }

    /** Hidden: what other tools call settings. */
    private void addOthers(CommandSpec spec) {
        Map<String, List<Setting>> names = new LinkedHashMap<>();
        for (Setting setting : settings)
            for (String name : others(setting))
                names.computeIfAbsent(name, n -> new ArrayList<>()).add(setting);
        names.forEach((name, candidates) -> {
            Setting.Type type = candidates.size() == 1 ? candidates.getFirst().type() : Setting.Type.TEXT;
            spec.addOption(option(
                            spec,
                            List.of(name),
                            type,
                            (option, value) -> put(
                                    spec,
                                    candidates.stream()
                                            .filter(one -> one.takes(value))
                                            .findFirst()
                                            .orElse(candidates.getFirst())
                                            .name(),
                                    option,
                                    value))
                    .hidden(true)
                    .build());
        });
        if (settings.contains(Settings.SIZE))
            SIDES.forEach((side, options) -> spec.addOption(
                    option(spec, options, Setting.Type.INTEGER, (option, value) -> put(spec, side, option, value))
                            .hidden(true)
                            .build()));
    }

    private static Set<String> others(Setting setting) {
        Set<String> others = new LinkedHashSet<>(setting.otherOptions());
        // Short ones are in the help.
        if (setting != Settings.PROMPT) others.removeIf(name -> !name.startsWith("--"));
        return others;
    }

    /** A sentence of the help that lists other tools' names. */
    String otherNames() {
        List<String> all = new ArrayList<>();
        for (Setting setting : settings) all.addAll(others(setting));
        if (settings.contains(Settings.SIZE)) all.add("-W/--width with -H/--height");
        return "Also accepted, from AUTOMATIC1111, diffusers and stable-diffusion.cpp: "
                + String.join(", ", new LinkedHashSet<>(all)) + ".";
    }

    /** What was given. */
    SettingValues values() {
        return SettingValues.named(given);
    }

    /**
     * The request with what was given.
     *
     * @throws IllegalArgumentException when a value makes no sense; the message begins with the option's name, without its hyphens
     */
    Request apply(Request request) {
        for (Map.Entry<Setting, String> one : values().asMap().entrySet()) {
            Setting setting = one.getKey();
            if (!setting.need().isMet(request))
                throw new IllegalArgumentException(setting.name() + ": goes with --"
                        + String.join(" or --", setting.need().names()) + ", which is missing");
            try {
                request = setting.apply(request, one.getValue());
            } catch (IllegalArgumentException e) {
                String message = e.getMessage(), prefix = setting.label() + ": ";
                throw new IllegalArgumentException(
                        setting.name() + ": "
                                + (message.startsWith(prefix) ? message.substring(prefix.length()) : message),
                        e);
            }
        }
        return request;
    }
}
