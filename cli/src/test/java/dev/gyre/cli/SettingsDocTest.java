package dev.gyre.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gyre.diffusion.settings.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class SettingsDocTest {
    @Test
    void isUpToDate() throws IOException {
        String page = SettingsCommand.markdown(Settings.ALL.stream()
                .filter(setting -> setting != AddedSetting.SHIFT)
                .toList());
        assertEquals(
                page,
                Files.readString(Path.of("../docs/settings.md")),
                "docs/settings.md differs from the table: ./gyre settings > docs/settings.md");
    }
}
