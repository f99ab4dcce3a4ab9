package dev.gyre.spark;

import dev.gyre.experiments.Grid;
import dev.gyre.experiments.Plan;
import dev.gyre.experiments.Prompts;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What is broadcast: each executor has one, and makes the plan of it once. */
final class Work implements Serializable {
    private static final long serialVersionUID = 1;

    private final Model model;
    private final ArrayList<Map<String, Object>> prompts;
    private final String folder;
    private final String grid;
    private final boolean stepLatents;
    private transient Plan plan;

    Work(Model model, List<Map<String, Object>> prompts, String folder, String grid, boolean stepLatents) {
        this.model = model;
        this.prompts = new ArrayList<>(prompts);
        this.folder = folder;
        this.grid = grid;
        this.stepLatents = stepLatents;
    }

    Model model() {
        return model;
    }

    boolean stepLatents() {
        return stepLatents;
    }

    synchronized Plan plan() {
        if (plan == null) plan = new Plan(new Prompts(Rows.NAME, Path.of(folder), prompts), Grid.parse(grid));
        return plan;
    }
}
