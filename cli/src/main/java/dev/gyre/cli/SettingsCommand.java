package dev.gyre.cli;

import dev.gyre.diffusion.settings.Setting;
import dev.gyre.diffusion.settings.Settings;
import dev.gyre.diffusion.settings.Tool;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code gyre settings}: the table of settings, which is {@code docs/settings.md}. */
@Command(
        name = "settings",
        description = "Lists all settings of a picture as Markdown: defaults, ranges, and other tools' names for them.",
        mixinStandardHelpOptions = true)
final class SettingsCommand implements Callable<Integer> {
    private static final String INTRODUCTION =
            """
            # Settings

            <!-- Written by `gyre settings`; do not edit. -->

            Every setting of a picture, as `gyre settings` prints it. A setting has one name: an option of the command line
            (`--clip-skip`), a column of a sweep's tables and a name in its grid (`clip_skip`), and a field of the service's requests,
            where diffusers' name is used if it has one. Other tools' names are accepted as well, in all three places.

            A value comes from the request, else from the operator's option (`gyre serve --steps 30`), else from the model, else from
            this table. An image that is edited through the service with a mask has a strength of 1 unless the request or the operator
            says otherwise, since OpenAI's edit endpoint repaints what the mask leaves transparent.
            """;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        spec.commandLine().getOut().print(markdown(Settings.ALL));
        spec.commandLine().getOut().flush();
        return 0;
    }

    static String markdown(List<Setting> settings) {
        StringBuilder page = new StringBuilder(INTRODUCTION);
        for (Setting.Group group : Setting.Group.values()) {
            page.append("\n## ").append(group.title()).append('\n');
            for (Setting setting : settings)
                if (setting.group() == group) page.append('\n').append(entry(setting));
        }
        return page.toString();
    }

    private static String entry(Setting setting) {
        StringBuilder entry = new StringBuilder("### ").append(setting.name()).append("\n\n");
        entry.append(escaped(setting.help())).append("\n\n| | |\n|---|---|\n");
        row(entry, "Value", value(setting));
        row(entry, "Default", escaped(setting.standardInWords()));
        row(entry, "Command line", setting == Settings.PROMPT ? "the argument" : code(List.of(setting.option())));
        row(entry, "Sweep", setting.isSwept() ? code(List.of(setting.column())) : "");
        row(entry, "Service", setting.isServed() ? code(List.of(setting.field())) : "");
        for (Tool tool : Tool.values()) row(entry, tool.title(), code(setting.names(tool)));
        return entry.toString();
    }

    private static void row(StringBuilder entry, String what, String value) {
        if (!value.isEmpty())
            entry.append("| ").append(what).append(" | ").append(value).append(" |\n");
    }

    private static String value(Setting setting) {
        List<String> parts = new ArrayList<>();
        if (setting.choices().isEmpty()) parts.add(setting.type().title());
        else parts.add(code(setting.choices()));
        setting.range()
                .filter(range -> range.max() < Integer.MAX_VALUE)
                .ifPresent(range -> parts.add(range.toString()));
        if (setting.type() == Setting.Type.TEXT
                && setting.choices().isEmpty()
                && !setting.placeholder().equals("PROMPT")) parts.add("as " + code(List.of(setting.placeholder())));
        return String.join(", ", parts);
    }

    private static String code(List<String> names) {
        return names.stream().map(name -> "`" + name + "`").collect(Collectors.joining(", "));
    }

    private static String escaped(String text) {
        return text.replace("|", "\\|").replace("<", "&lt;").replace("[", "\\[");
    }
}
