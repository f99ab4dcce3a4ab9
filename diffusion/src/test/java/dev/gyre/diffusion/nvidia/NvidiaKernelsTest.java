package dev.gyre.diffusion.nvidia;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gyre.core.Target;
import dev.gyre.diffusion.family.SyntheticCheckpoint;
import dev.gyre.jsafetensors.StoredType;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every kernel that is meant for GPUs, compiled for NVIDIA's by TornadoVM and NVIDIA's own compilers, without a GPU: a stand-in for the
 * driver keeps the machine code and refuses launches as a device does. No kernel may fail to compile, be refused, or spill registers.
 *
 * <p>Runs for each TornadoVM home in {@code GYRE_NVIDIA_HOMES}, or the one in {@code TORNADOVM_HOME}, whose backend is PTX or CUDA. Needs
 * gcc, CUDA's headers and {@code ptxas} ({@code CUDA_PATH}, or /usr/local/cuda), and for CUDA the library NVRTC on
 * {@code LD_LIBRARY_PATH}. Tables of the kernels are left in target/nvidia.
 */
class NvidiaKernelsTest {
    private static final List<Target.KernelKind> KINDS =
            List.of(Target.KernelKind.REFERENCE, Target.KernelKind.WORKGROUP, Target.KernelKind.TENSOR_CORE);

    private static final Path FOLDER = Path.of("target/nvidia").toAbsolutePath();
    private static final Path CUDA = Path.of(System.getenv().getOrDefault("CUDA_PATH", "/usr/local/cuda"));

    @TempDir
    static Path scratch;

    /** A launch, as the stand-in writes it. */
    private record Launch(
            int module, String kernel, String grid, String block, int registers, int local, int frame, String refusal) {
        static Launch parse(String line) {
            String[] columns = line.split("\t", -1);
            return new Launch(
                    Integer.parseInt(columns[0]),
                    // On PTX TornadoVM puts the graph's and the task's name before the method's, and the parameters
                    // behind it.
                    columns[1].replaceFirst("^gyre\\d+_t\\d+_", "").replaceFirst("(_\\d+|_uk_ac_|_arrays_).*", ""),
                    columns[2],
                    columns[3],
                    Integer.parseInt(columns[4]),
                    Integer.parseInt(columns[5]),
                    Integer.parseInt(columns[6]),
                    columns[8]);
        }
    }

    /** A piece of work of {@link NvidiaProgram}. */
    private record Work(String name, List<Launch> launches, String failure) {}

    @BeforeAll
    static void buildTheDriver() throws IOException, InterruptedException {
        assumeTrue(!homes().isEmpty(), "no TornadoVM with a PTX or CUDA backend: set GYRE_NVIDIA_HOMES");
        assumeTrue(Files.exists(CUDA.resolve("include/cuda.h")), "no CUDA headers: set CUDA_PATH");
        assumeTrue(Files.exists(CUDA.resolve("bin/ptxas")), "no ptxas in CUDA_PATH");
        Path lib = Files.createDirectories(FOLDER.resolve("lib"));
        for (String name : new String[] {"libcuda.so.1", "libnvidia-ml.so.1"})
            run(
                    "gcc",
                    "-shared",
                    "-fPIC",
                    "-O1",
                    "-I" + CUDA.resolve("include"),
                    "-o",
                    lib.resolve(name).toString(),
                    Path.of("src/test/c/driver.c").toAbsolutePath().toString(),
                    "-lpthread");
    }

    private static List<Path> homes() {
        String named = Optional.ofNullable(System.getenv("GYRE_NVIDIA_HOMES")).orElse(System.getenv("TORNADOVM_HOME"));
        return named == null
                ? List.of()
                : Arrays.stream(named.split(File.pathSeparator))
                        .map(Path::of)
                        .filter(home -> backend(home).matches("ptx|cuda"))
                        .toList();
    }

    private static String backend(Path home) {
        try {
            return Files.readString(home.resolve("etc/tornado.backend"))
                    .strip()
                    .replaceAll("tornado.backends=|-backend", "");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Stream<Arguments> hopper() {
        return homes().stream()
                .flatMap(home -> KINDS.stream().map(kind -> Arguments.of(backend(home), kind, 90, home)));
    }

    static Stream<Arguments> everyCapability() {
        return homes().stream().flatMap(home -> KINDS.stream()
                .flatMap(kind -> Stream.of(80, 86, 89).map(sm -> Arguments.of(backend(home), kind, sm, home))));
    }

    @ParameterizedTest(name = "{0} {1} sm_{2}")
    @MethodSource("hopper")
    void theTablesKernels(String backend, Target.KernelKind kind, int sm, Path home) throws Exception {
        check(backend, kind, sm, home, "table");
    }

    @ParameterizedTest(name = "{0} {1} sm_{2}")
    @MethodSource("everyCapability")
    @Tag("long")
    void theTablesKernelsForEveryCapability(String backend, Target.KernelKind kind, int sm, Path home)
            throws Exception {
        check(backend, kind, sm, home, "table");
    }

    @ParameterizedTest(name = "{0} {1} sm_{2}")
    @MethodSource("hopper")
    @Tag("long")
    void theNetworksKernels(String backend, Target.KernelKind kind, int sm, Path home) throws Exception {
        check(backend, kind, sm, home, "networks");
    }

    private static void check(String backend, Target.KernelKind kind, int sm, Path home, String what) throws Exception {
        Path folder = FOLDER.resolve(String.join("-", what, backend, kind.name().toLowerCase(), "sm_" + sm));
        List<String> arguments = new ArrayList<>(List.of(kind.name(), folder.toString()));
        if (what.equals("networks")) arguments.add(checkpoint().toString());
        List<Work> all = program(home, sm, folder, arguments);
        Files.writeString(folder.resolve("kernels.md"), table(all));
        List<String> wrong = new ArrayList<>();
        for (Work work : all) {
            if (!work.failure.isEmpty()) wrong.add(work.name + ": " + work.failure);
            for (Launch launch : work.launches) {
                if (!launch.refusal.isEmpty()) wrong.add(work.name + ": " + launch);
                // CUDA's sine reduces large angles by a table on the stack.
                if (launch.frame > 0 && !launch.kernel.equals("timestepEmbedding"))
                    wrong.add(work.name + ": spills, " + launch);
            }
        }
        assertEquals(List.of(), wrong);
        assertFalse(all.isEmpty());
    }

    /** Weights of every tensor's real shape. */
    private static Path checkpoint() throws IOException {
        Path file = scratch.resolve("synthetic.safetensors");
        if (!Files.exists(file)) SyntheticCheckpoint.write(file, StoredType.F16, false);
        return file;
    }

    private static List<Work> program(Path home, int sm, Path folder, List<String> arguments) throws Exception {
        if (Files.exists(folder)) for (File file : folder.toFile().listFiles()) Files.delete(file.toPath());
        Files.createDirectories(folder);
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "@" + home.resolve("tornado-argfile"),
                "--module-path",
                home.resolve("share/java/tornado").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Xmx4g",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                NvidiaProgram.class.getName()));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
        Map<String, String> environment = builder.environment();
        environment.put("TORNADOVM_HOME", home.toString());
        environment.merge("LD_LIBRARY_PATH", FOLDER.resolve("lib").toString(), (old, lib) -> lib + ":" + old);
        environment.put("STAND_IN_DIR", folder.toString());
        environment.put("STAND_IN_CC", String.valueOf(sm));
        environment.put("STAND_IN_PTXAS", CUDA.resolve("bin/ptxas").toString());
        Path out = folder.resolve("out.txt"), log = folder.resolve("log.txt");
        int status = builder.redirectOutput(out.toFile())
                .redirectError(log.toFile())
                .start()
                .waitFor();
        assertEquals(0, status, () -> "see " + log);
        List<Launch> launches = Files.readAllLines(folder.resolve("launches.tsv")).stream()
                .map(Launch::parse)
                .toList();
        List<String[]> works = Files.readAllLines(out).stream()
                .filter(line -> line.startsWith("WORK\t"))
                .map(line -> line.split("\t", -1))
                .toList();
        List<Work> all = new ArrayList<>();
        int first = 0;
        for (String[] work : works) {
            int end = Integer.parseInt(work[2]);
            all.add(new Work(work[1], launches.subList(first, end), work[3]));
            first = end;
        }
        return all;
    }

    /** Of each piece of work's kernels: machine code, registers, local memory, launches. */
    private static String table(List<Work> all) {
        StringBuilder text =
                new StringBuilder("| work | kernel | grid | block | registers | local memory | launches |\n"
                        + "|---|---|---|---|---|---|---|\n");
        for (Work work : all) {
            Map<String, Long> rows = work.launches.stream()
                    .collect(Collectors.groupingBy(
                            one -> "| " + work.name + " | " + one.kernel + " | " + one.grid + " | " + one.block + " | "
                                    + one.registers + " | " + one.local,
                            TreeMap::new,
                            Collectors.counting()));
            rows.forEach(
                    (row, count) -> text.append(row).append(" | ").append(count).append(" |\n"));
        }
        return text.toString();
    }

    private static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), output);
    }
}
