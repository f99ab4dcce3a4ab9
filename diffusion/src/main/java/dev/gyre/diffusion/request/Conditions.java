package dev.gyre.diffusion.request;

import dev.gyre.diffusion.adapter.ControlNet;
import dev.gyre.diffusion.adapter.Lora;
import dev.gyre.diffusion.adapter.ScaledLora;
import dev.gyre.diffusion.image.Image;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a request changes about the networks.
 *
 * @param loras adapters, all at once
 * @param controls pictures to keep to
 * @param tileable whether the picture is to continue at its opposite edges
 * @param reuse whether steps take over what others have computed
 * @param vaeTiling whether the VAE works tile by tile even where the whole would fit into memory
 */
public record Conditions(
        List<ScaledLora> loras, List<Control> controls, boolean tileable, Optional<Reuse> reuse, boolean vaeTiling) {
    /** As they are. */
    public static final Conditions PLAIN = new Conditions(List.of(), List.of(), false, Optional.empty(), false);

    /**
     * A picture that a ControlNet keeps to.
     *
     * @param image what the net was trained to see: edges, depth, a pose; brought to the drawing's size
     * @param weight how much it counts, 1 as it was trained
     * @param part the steps it counts in
     */
    public record Control(ControlNet net, Image image, double weight, Request.StepRange part) {
        /** @throws IllegalArgumentException when the weight is infinite or no number */
        public Control {
            if (!Double.isFinite(weight)) throw new IllegalArgumentException("control weight: a number, got " + weight);
        }

        /** At full weight in every step. */
        public static Control of(ControlNet net, Image image) {
            return new Control(net, image, 1, Request.StepRange.WHOLE);
        }
    }

    /**
     * Only every so many steps run the whole UNet; between them its inner blocks' output is taken over and just the outermost are run
     * (DeepCache: Ma, Fang and Wang 2023). Faster, and another picture.
     *
     * @param every 2 runs the whole UNet in every other step
     * @param blocks how many blocks, of 12 on the way down and on the way up, run in every step
     */
    public record Reuse(int every, int blocks) {
        private static final Range EVERY = Range.of(2, 1000), BLOCKS = Range.of(1, 11);

        /** @throws IllegalArgumentException when {@code every} is not 2 to 1000, or {@code blocks} not 1 to 11 */
        public Reuse {
            EVERY.check("deepcache: steps from one whole UNet to the next", every);
            BLOCKS.check("deepcache: blocks that run in every step", blocks);
        }

        /** Reads {@code 2}, which runs one block between, or {@code 3:2}. */
        public static Reuse parse(String text) {
            String[] parts = text.split(":", -1);
            try {
                if (parts.length <= 2)
                    return new Reuse(Integer.parseInt(parts[0]), parts.length == 1 ? 1 : Integer.parseInt(parts[1]));
            } catch (NumberFormatException e) {
                // Said below.
            }
            throw new IllegalArgumentException("deepcache: steps, or steps and blocks as in 3:2, got " + text);
        }

        /** As in {@code 3:2}. */
        @Override
        public String toString() {
            return every + ":" + blocks;
        }

        /** The whole UNet in every so many steps, between them one block on the way down and one on the way up. */
        public static Reuse every(int steps) {
            return new Reuse(steps, 1);
        }
    }

    /** Copies the lists. */
    public Conditions {
        loras = List.copyOf(loras);
        controls = List.copyOf(controls);
    }

    /** With one more LoRA: 1 as it was trained, 0 not at all; may be negative. */
    public Conditions lora(Lora lora, double strength) {
        return new Conditions(more(loras, new ScaledLora(lora, strength)), controls, tileable, reuse, vaeTiling);
    }

    /** With one more picture to keep to. */
    public Conditions control(Control control) {
        return new Conditions(loras, more(controls, control), tileable, reuse, vaeTiling);
    }

    /** With or without opposite edges that continue each other. */
    public Conditions tileable(boolean tileable) {
        return new Conditions(loras, controls, tileable, reuse, vaeTiling);
    }

    /** With some steps taken over from others. */
    public Conditions reuse(Reuse reuse) {
        return new Conditions(loras, controls, tileable, Optional.of(reuse), vaeTiling);
    }

    /** With or without the VAE working tile by tile where it need not. */
    public Conditions vaeTiling(boolean vaeTiling) {
        return new Conditions(loras, controls, tileable, reuse, vaeTiling);
    }

    /** With these LoRAs in place of its own. */
    public Conditions loras(List<ScaledLora> loras) {
        return new Conditions(loras, controls, tileable, reuse, vaeTiling);
    }

    private static <T> List<T> more(List<T> list, T one) {
        return Stream.concat(list.stream(), Stream.of(one)).toList();
    }
}
