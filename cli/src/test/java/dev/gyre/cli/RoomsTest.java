package dev.gyre.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Holds Gyre's packages to the table "Rooms" of ARCHITECTURE.md: a row names a package and all packages of Gyre that it may use. The
 * compiled classes say what is used.
 */
class RoomsTest {
    private static final String ROOT = "dev.gyre.";
    private static final Pattern NAME = Pattern.compile("`([a-z.0-9]+)`");

    /** Package to the packages that it may use, as the table has them. */
    private static final Map<String, Set<String>> allowed = new TreeMap<>();

    /** Package to the packages that it uses, each with a pair of classes that shows it. */
    private static final Map<String, Map<String, String>> used = new TreeMap<>();

    @BeforeAll
    static void read() throws IOException {
        for (String line : table()) {
            String[] cells = line.split("\\|");
            List<String> room = names(cells[1]);
            if (room.size() != 1) continue; // the table's head
            allowed.put(room.getFirst(), new TreeSet<>(names(cells[3])));
        }
        for (JavaClass from : new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("dev.gyre")) {
            if (from.getPackageName().endsWith(".jmh_generated")) continue; // JMH's, where it is not yet packed away
            Map<String, String> arrows = used.computeIfAbsent(room(from), name -> new TreeMap<>());
            for (Dependency dependency : from.getDirectDependenciesFromSelf()) {
                JavaClass to = dependency.getTargetClass().getBaseComponentType();
                if (to.getPackageName().startsWith(ROOT) && !room(to).equals(room(from)))
                    arrows.putIfAbsent(room(to), from.getName() + " uses " + to.getName());
            }
        }
    }

    @Test
    void everyPackageIsARoom() {
        assertEquals(allowed.keySet(), used.keySet(), "packages in ARCHITECTURE.md and in the compiled classes");
    }

    @Test
    void everyArrowIsAllowed() {
        List<String> wrong = new ArrayList<>();
        used.forEach((from, arrows) -> arrows.forEach((to, classes) -> {
            if (!allowed.getOrDefault(from, Set.of()).contains(to)) wrong.add(from + " -> " + to + ": " + classes);
        }));
        if (!wrong.isEmpty()) fail("ARCHITECTURE.md does not allow\n  " + String.join("\n  ", wrong));
    }

    @Test
    void everyAllowedArrowIsUsed() {
        List<String> stale = new ArrayList<>();
        allowed.forEach((from, arrows) -> arrows.stream()
                .filter(to -> !used.getOrDefault(from, Map.of()).containsKey(to))
                .forEach(to -> stale.add(from + " -> " + to)));
        assertEquals(List.of(), stale, "arrows in ARCHITECTURE.md that no class needs");
    }

    @Test
    void noArrowsMakeACircle() {
        Map<String, Set<String>> left = new TreeMap<>(allowed);
        while (true) {
            Set<String> ground = left.entrySet().stream()
                    .filter(room -> room.getValue().stream().noneMatch(left::containsKey))
                    .map(Map.Entry::getKey)
                    .collect(Collectors.toSet());
            if (ground.isEmpty()) break;
            left.keySet().removeAll(ground);
        }
        assertEquals(Map.of(), left, "rooms in a circle, or above one");
    }

    private static List<String> table() throws IOException {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("ARCHITECTURE.md"))) folder = folder.getParent();
        String text = Files.readString(folder.resolve("ARCHITECTURE.md"));
        return text.substring(text.indexOf("\n## Rooms"))
                .lines()
                .dropWhile(line -> !line.startsWith("|"))
                .takeWhile(line -> line.startsWith("|"))
                .toList();
    }

    private static List<String> names(String cell) {
        return NAME.matcher(cell).results().map(match -> match.group(1)).toList();
    }

    private static String room(JavaClass type) {
        return type.getPackageName().substring(ROOT.length());
    }
}
