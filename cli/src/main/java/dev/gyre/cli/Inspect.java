package dev.gyre.cli;

import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.checkpoint.PublishedCheckpoint;
import dev.gyre.diffusion.family.ModelConfig;
import dev.gyre.jsafetensors.TensorInfo;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** What a checkpoint holds, and what it lacks. */
@Command(
        name = "inspect",
        description = "Lists what a checkpoint contains and what is missing.",
        mixinStandardHelpOptions = true)
final class Inspect implements Callable<Integer> {
    /** Where the parts of an original checkpoint begin, and what they are. */
    private static final Map<String, String> FAMILIES = Map.of(
            "model.diffusion_model.", "UNet",
            "model_ema.", "UNet, averaged (EMA)",
            "first_stage_model.", "VAE",
            "cond_stage_model.", "text encoder");

    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "FILE",
            description = "A .safetensors file, the index of its shards, or a diffusers folder.")
    private Path path;

    @Option(names = "--tensors", description = "List every tensor.")
    private boolean tensors;

    @Option(names = "--sha256", description = "Hash the whole file and compare with the published one.")
    private boolean sha256;

    /** What is counted of a family. */
    private static final class Family {
        private final Map<String, Integer> types = new TreeMap<>();
        private int tensors;
        private long elements;
        private long bytes;
    }

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        try (Checkpoint checkpoint = Checkpoint.open(path)) {
            out.printf(
                    Locale.ROOT,
                    "%s: %,d bytes, %d tensors%n",
                    path,
                    checkpoint.size(),
                    checkpoint.names().size());
            Optional<PublishedCheckpoint> known = PublishedCheckpoint.ofSize(checkpoint.size());
            known.ifPresent(file -> out.println("by its size: " + file.what()));
            if (sha256) hash(known, out);
            checkpoint.metadata().forEach((key, value) -> out.println("metadata " + key + ": " + value));
            families(checkpoint, out);
            if (tensors)
                for (String name : checkpoint.names()) {
                    TensorInfo info = checkpoint.info(name);
                    out.println(name + "  " + info.dtype() + " " + info.shape());
                }
            return missing(checkpoint, out);
        } finally {
            out.flush();
        }
    }

    private static void families(Checkpoint checkpoint, PrintWriter out) {
        Map<String, Family> families = new TreeMap<>();
        for (String name : checkpoint.names()) {
            String family = FAMILIES.entrySet().stream()
                    .filter(e -> name.startsWith(e.getKey()))
                    .map(Map.Entry::getValue)
                    .findFirst()
                    .orElse("other");
            Family sum = families.computeIfAbsent(family, f -> new Family());
            TensorInfo info = checkpoint.info(name);
            sum.types.merge(info.dtype().toString(), 1, Integer::sum);
            sum.tensors++;
            sum.elements += info.elements();
            sum.bytes += info.bytes();
        }
        out.printf("%-22s %8s %15s %15s  %s%n", "family", "tensors", "parameters", "bytes", "types");
        families.forEach((name, sum) -> out.printf(
                Locale.ROOT, "%-22s %8d %,15d %,15d  %s%n", name, sum.tensors, sum.elements, sum.bytes, sum.types));
    }

    private static int missing(Checkpoint checkpoint, PrintWriter out) {
        ModelConfig model;
        List<String> problems;
        try {
            model = ModelConfig.of(checkpoint);
            problems = model.problems(checkpoint, false);
        } catch (IllegalArgumentException e) {
            out.println(e.getMessage());
            return 1;
        }
        if (problems.isEmpty()) {
            out.println("complete: " + model.family() + " in the original layout");
            return 0;
        }
        out.println(problems.size() + " tensors are missing or of another shape:");
        problems.forEach(problem -> out.println("  " + problem));
        return 1;
    }

    private void hash(Optional<PublishedCheckpoint> known, PrintWriter out) throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
        try (InputStream in = new DigestInputStream(Files.newInputStream(path), digest)) {
            byte[] buffer = new byte[1 << 20];
            while (in.read(buffer) >= 0) continue;
        }
        String hex = HexFormat.of().formatHex(digest.digest());
        out.println("sha256: " + hex);
        known.ifPresent(file -> out.println(
                file.sha256().equals(hex)
                        ? "which is the published file's"
                        : "which is NOT the published file's: " + file.sha256()));
    }
}
