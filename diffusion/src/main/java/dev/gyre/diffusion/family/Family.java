package dev.gyre.diffusion.family;

import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.sampler.Prediction;
import java.util.List;
import java.util.Optional;

/**
 * A family of models: how its checkpoints are recognised, and all that sets them apart from those of other families, in one file. Another
 * family is another implementation and an entry in {@link #ALL}.
 */
public interface Family {
    /** All there are; the first that recognises a checkpoint has it. */
    List<Family> ALL = List.of(new SmallModels(), new StableDiffusionV1());

    /** Its name, as in "Stable Diffusion v1". */
    String name();

    /** Whether a checkpoint is one of this family's, by the names of its tensors, their shapes or its metadata. */
    boolean recognises(Checkpoint file);

    /**
     * The model that a checkpoint of this family holds.
     *
     * @param prediction what its UNet predicts, where the user says so
     * @throws IllegalArgumentException when it is a kind of model that is not supported, or its metadata makes no sense, saying which
     */
    ModelConfig config(Checkpoint file, Optional<Prediction> prediction);
}
