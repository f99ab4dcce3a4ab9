package dev.gyre.cli;

import dev.gyre.bench.Table;
import dev.gyre.core.Graph;
import dev.gyre.core.Graphviz;
import dev.gyre.core.Op;
import dev.gyre.core.Value;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.family.NetworkPart;
import dev.gyre.diffusion.request.Request;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code gyre graph}: a network op by op, with its shapes and what it costs. */
@Command(
        name = "graph",
        description = "Lists a network's ops with their shapes, bytes and FLOPs, or writes the graph for Graphviz.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class GraphCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = {"-m", "--model"},
            paramLabel = "FILE",
            description = "Checkpoint. (default: the small embedded model)")
    private Path model;

    @Option(
            names = "--part",
            defaultValue = "unet",
            description = "text, unet, decoder or encoder. (default: ${DEFAULT-VALUE})")
    private String part;

    @Option(
            names = "--size",
            paramLabel = "WxH",
            description = "Width and height in pixels, multiples of 8. (default: 512x512; embedded model 128x128)")
    private String size;

    @Option(
            names = "--batch",
            defaultValue = "2",
            description = "Batch of the UNet and the text encoder; a guided step has two. (default: ${DEFAULT-VALUE})")
    private int batch;

    @Option(
            names = "--output",
            defaultValue = "md",
            description = "md, csv, json, or dot for Graphviz. (default: ${DEFAULT-VALUE})")
    private String output;

    @Override
    public Integer call() throws IOException {
        NetworkPart wanted;
        Request.Size sides;
        try {
            wanted = NetworkPart.named(part);
            sides = Request.Size.parse(size != null ? size : model == null ? "128x128" : "512x512");
            Request.of("").size(sides.width(), sides.height());
        } catch (IllegalArgumentException e) {
            throw MachineOptions.usage(spec, "--" + e.getMessage());
        }
        if (!Set.of("md", "csv", "json", "dot").contains(output))
            throw MachineOptions.usage(spec, "--output: md, csv, json or dot, got " + output);
        if (batch < 1) throw MachineOptions.usage(spec, "--batch: at least 1, got " + batch);
        Checkpoint checkpoint = model == null ? Checkpoint.embedded() : Checkpoint.open(model);
        try (StableDiffusion sd = StableDiffusion.load(checkpoint, new JvmBackend());
                JvmBackend backend = new JvmBackend()) {
            Graph graph = sd.graph(wanted, sides, batch);
            spec.commandLine()
                    .getOut()
                    .print(
                            output.equals("dot")
                                    ? Graphviz.of(graph)
                                    : table(graph).as(output));
            spec.commandLine().getOut().flush();
            spec.commandLine().getErr().println(totals(graph, backend.plan(graph)));
        }
        return 0;
    }

    private static Table table(Graph graph) {
        Table table = new Table("op", "makes", "reads", "shape", "bytes", "weight bytes", "FLOPs");
        for (Op op : graph.ops()) {
            Value made = op.output();
            String reads = op.inputs().stream()
                    .filter(input -> input.constant().isEmpty())
                    .map(input -> input.shape().toString())
                    .collect(Collectors.joining(" "));
            long weights = op.inputs().stream()
                    .filter(input -> input.constant().isPresent())
                    .mapToLong(Value::bytes)
                    .sum();
            String names = String.join(" ", graph.names(made));
            table.add(
                    op.getClass().getSimpleName(),
                    names,
                    reads,
                    made.shape().toString(),
                    made.bytes(),
                    weights,
                    op.flops());
        }
        return table;
    }

    private static String totals(Graph graph, long working) {
        Set<Value> weights = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Op op : graph.ops())
            for (Value input : op.inputs()) if (input.constant().isPresent()) weights.add(input.storage());
        long flops = graph.ops().stream().mapToLong(Op::flops).sum();
        return String.format(
                Locale.ROOT,
                "%s: %d ops, %.3f GFLOP, %.1f MiB of weights, %.1f MiB of working memory",
                graph.title(),
                graph.ops().size(),
                flops / 1e9,
                weights.stream().mapToLong(Value::bytes).sum() / 1048576.0,
                working / 1048576.0);
    }
}
