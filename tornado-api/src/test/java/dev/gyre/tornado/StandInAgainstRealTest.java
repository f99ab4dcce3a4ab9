package dev.gyre.tornado;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.annotations.Parallel;

/** Every public member of the stand-in against the real API, where TornadoVM's SDK is installed. */
class StandInAgainstRealTest {
    @Test
    void everyMemberIsTheRealOnes() throws IOException {
        String home = System.getenv("TORNADOVM_HOME");
        assumeTrue(home != null, "TORNADOVM_HOME is not set: the stand-in is not held against TornadoVM's API");
        assumeTrue(
                Parallel.class.getModule().getName() == null,
                "TornadoVM hides the stand-in on this JVM: nothing to hold");
        List<URL> jars = new ArrayList<>();
        try (Stream<Path> files = Files.list(Path.of(home, "share", "java", "tornado"))) {
            for (Path file : files.toList())
                if (file.toString().endsWith(".jar")) jars.add(file.toUri().toURL());
        }
        List<String> differences = new ArrayList<>();
        int members = 0;
        try (URLClassLoader real = new URLClassLoader(jars.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
            for (String name : classes()) {
                Class<?> ours = load(name, StandInAgainstRealTest.class.getClassLoader());
                if (!Modifier.isPublic(ours.getModifiers())) continue;
                try {
                    members += compare(ours, Class.forName(name, false, real), differences);
                } catch (ClassNotFoundException e) {
                    differences.add(name + " is not there");
                }
            }
        }
        assertEquals(List.of(), differences);
        assertFalse(members < 100, "only " + members + " members were compared");
    }

    private static int compare(Class<?> ours, Class<?> real, List<String> differences) {
        int members = 0;
        for (Class<?> parent : ours.getInterfaces()) {
            // Serializable came to the functions after 5.2; with it lambdas compiled here work on both.
            if (parent == java.io.Serializable.class) continue;
            if (Arrays.stream(real.getInterfaces()).noneMatch(p -> p.getName().equals(parent.getName())))
                differences.add(ours + " is no " + parent.getName());
        }
        if (ours.isAnnotation()
                && !Arrays.toString(ours.getAnnotations()).equals(Arrays.toString(real.getAnnotations())))
            differences.add(ours + ": " + Arrays.toString(real.getAnnotations()));
        for (Method method : ours.getDeclaredMethods())
            if (Modifier.isPublic(method.getModifiers()) && !method.isSynthetic()) {
                members++;
                if (Arrays.stream(real.getMethods()).noneMatch(m -> signature(m).equals(signature(method))))
                    differences.add(ours.getName() + ": " + signature(method));
            }
        for (Constructor<?> constructor : ours.getConstructors()) {
            members++;
            if (Arrays.stream(real.getConstructors()).noneMatch(c -> types(c).equals(types(constructor))))
                differences.add(ours.getName() + ": constructor " + types(constructor));
        }
        for (Field field : ours.getFields()) {
            members++;
            if (Arrays.stream(real.getFields())
                    .noneMatch(f -> f.getName().equals(field.getName())
                            && f.getType().getName().equals(field.getType().getName())
                            && f.getModifiers() == field.getModifiers()))
                differences.add(ours.getName() + ": field " + field.getName());
        }
        return members;
    }

    private static String signature(Method method) {
        return (Modifier.isStatic(method.getModifiers()) ? "static " : "")
                + method.getReturnType().getName() + " " + method.getName() + types(method);
    }

    private static String types(Executable executable) {
        return Arrays.stream(executable.getParameterTypes())
                .map(Class::getName)
                .collect(Collectors.joining(", ", "(", ")"));
    }

    /** The names of all classes of the stand-in. */
    private static List<String> classes() throws IOException {
        URI origin = URI.create(Parallel.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toString());
        Path root = Path.of(origin);
        try (Stream<Path> files = Files.walk(root)) {
            return files.map(file -> root.relativize(file).toString())
                    .filter(file -> file.endsWith(".class"))
                    .map(file -> file.replace(File.separatorChar, '.').replaceAll("\\.class$", ""))
                    .toList();
        }
    }

    private static Class<?> load(String name, ClassLoader loader) {
        try {
            return Class.forName(name, false, loader);
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }
}
