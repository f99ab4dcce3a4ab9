package dev.gyre.spark;

import java.io.File;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.SparkSession;

/** Spark with executors of one core, each a JVM of its own on this machine. */
final class Cluster implements AutoCloseable {
    final SparkSession spark;
    private final Events events = new Events();

    /** @param options for the executors' JVMs */
    Cluster(int executors, String options) throws IOException {
        Path home = Path.of(System.getenv("SPARK_HOME"));
        assemble(home);
        spark = SparkSession.builder()
                .master("local-cluster[" + executors + ",1,1024]")
                .config("spark.executor.memory", "1g")
                .config("spark.executor.extraJavaOptions", options)
                .config("spark.executor.extraClassPath", own().collect(Collectors.joining(File.pathSeparator)))
                .config("spark.executorEnv.JAVA_HOME", System.getProperty("java.home"))
                .config("spark.driver.host", "localhost")
                .config("spark.driver.bindAddress", "127.0.0.1")
                .config("spark.sql.warehouse.dir", home.resolve("warehouse").toString())
                .config("spark.ui.enabled", "false")
                .getOrCreate();
        spark.sparkContext().addSparkListener(events);
    }

    /** What an installed Spark has: all jars that are not Gyre's, linked from where Maven keeps them. */
    private static void assemble(Path home) throws IOException {
        Path jars = Files.createDirectories(home.resolve("jars"));
        for (String entry : classPath().stream()
                .filter(e -> !isOwn(e) && e.endsWith(".jar"))
                .toList())
            try {
                Files.createSymbolicLink(jars.resolve(Path.of(entry).getFileName()), Path.of(entry));
            } catch (FileAlreadyExistsException e) {
                // From the last run.
            }
    }

    private static List<String> classPath() {
        return Arrays.asList(System.getProperty("java.class.path").split(File.pathSeparator));
    }

    private static boolean isOwn(String entry) {
        String name = Path.of(entry).getFileName().toString();
        return name.equals("classes") || name.startsWith("gyre-") || name.startsWith("jsafetensors");
    }

    private static Stream<String> own() {
        return classPath().stream().filter(Cluster::isOwn);
    }

    /** Has an executor killed, as an operator's kill -9 would, when so many more tasks have ended. */
    void killAfter(int tasks) {
        events.left = tasks;
    }

    /** Executors that were lost. */
    int lost() {
        return events.lost;
    }

    static List<ProcessHandle> executors() {
        return ProcessHandle.current()
                .descendants()
                .filter(child -> child.info().commandLine().orElse("").contains("CoarseGrainedExecutorBackend"))
                .toList();
    }

    @Override
    public void close() {
        spark.stop();
    }

    private static final class Events extends SparkListener {
        private volatile int left = -1;
        private volatile int lost;

        @Override
        public void onTaskEnd(SparkListenerTaskEnd end) {
            if (left > 0 && --left == 0) executors().getFirst().destroyForcibly();
        }

        @Override
        public void onExecutorRemoved(SparkListenerExecutorRemoved removed) {
            lost++;
        }
    }
}
