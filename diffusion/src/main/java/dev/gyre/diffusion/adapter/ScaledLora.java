package dev.gyre.diffusion.adapter;

import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.family.ModelConfig;
import dev.gyre.nn.LowRank;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A LoRA and how much of it.
 *
 * @param strength 1 as it was trained, 0 not at all; may be negative
 */
public record ScaledLora(Lora lora, double strength) {
    /** @throws IllegalArgumentException when the strength is NaN or infinite */
    public ScaledLora {
        if (!Double.isFinite(strength)) throw new IllegalArgumentException("LoRA strength: a number, got " + strength);
    }

    /**
     * What LoRAs add together to a model's layers, by the layers' paths.
     *
     * @throws IllegalArgumentException when one was made for another model, naming the layer
     */
    public static Map<String, List<LowRank>> additions(List<ScaledLora> loras, Checkpoint model, ModelConfig config) {
        Map<String, List<LowRank>> all = new HashMap<>();
        for (ScaledLora one : loras)
            one.lora.additions(model, config).forEach((path, addition) -> all.computeIfAbsent(
                            path, p -> new ArrayList<>())
                    .add(addition.scaled((float) one.strength)));
        return all;
    }
}
