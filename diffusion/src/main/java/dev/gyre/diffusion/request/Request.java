package dev.gyre.diffusion.request;

import dev.gyre.diffusion.noise.NoiseSource;
import dev.gyre.diffusion.sampler.Sampler;
import java.math.BigDecimal;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What to draw. What is left empty has the model's default.
 *
 * @param text what should be seen, and how it is read
 * @param sampling how the noise is taken away
 * @param noise where the noise comes from
 * @param size in pixels, multiples of 8; else 512×512, or a small model's native size
 * @param batch number of pictures
 * @param start the picture to begin with; else noise alone
 * @param hires a second, larger pass
 * @param network what is changed about the networks
 */
public record Request(
        Text text,
        Sampling sampling,
        Noise noise,
        Optional<Size> size,
        int batch,
        Optional<InitImage> start,
        Optional<HiresFix> hires,
        Conditions network) {

    /** Pixels. */
    public record Size(int width, int height) {
        /** Reads {@code 512x768}. */
        public static Size parse(String text) {
            String[] sides = text.toLowerCase(Locale.ROOT).split("x", -1);
            try {
                if (sides.length == 2) return new Size(Integer.parseInt(sides[0]), Integer.parseInt(sides[1]));
            } catch (NumberFormatException e) {
                // Said below.
            }
            throw new IllegalArgumentException("size: width and height as in 512x512, got " + text);
        }

        /** Of like proportions, in multiples of 8, the longer side this long; itself where it is not longer. */
        public Size within(int side) {
            int longer = Math.max(width, height);
            return longer <= side ? this : new Size(scaled(width, side, longer), scaled(height, side, longer));
        }

        private static int scaled(int pixels, int side, int longer) {
            return Math.max(8, (int) Math.round((double) pixels * side / longer / 8) * 8);
        }

        @Override
        public String toString() {
            return width + "x" + height;
        }
    }

    /**
     * What the model is told.
     *
     * @param prompt what should be seen
     * @param negative what should not
     * @param clipSkip which of the text encoder's layers is listened to, counted from the last, 1
     * @param plain whether the text is taken as it stands and cut at 75 tokens, as diffusers does, rather than read in AUTOMATIC1111's
     *     syntax ({@link dev.gyre.tokenizer.PromptEdits}, {@link dev.gyre.tokenizer.Emphasis}), however long it is
     */
    public record Text(String prompt, String negative, int clipSkip, boolean plain) {
        /** @throws IllegalArgumentException when the clip skip is below 1 */
        public Text {
            if (clipSkip < 1) throw new IllegalArgumentException("clip skip: at least 1, got " + clipSkip);
        }

        /** With another prompt. */
        public Text prompt(String prompt) {
            return new Text(prompt, negative, clipSkip, plain);
        }

        /** With another negative prompt. */
        public Text negative(String negative) {
            return new Text(prompt, negative, clipSkip, plain);
        }

        /** With the text encoder's layer {@code clipSkip}, counted from the last, 1. */
        public Text clipSkip(int clipSkip) {
            return new Text(prompt, negative, clipSkip, plain);
        }

        /** Taken as it stands, or read in AUTOMATIC1111's syntax. */
        public Text plain(boolean plain) {
            return new Text(prompt, negative, clipSkip, plain);
        }
    }

    /**
     * How the noise is taken away.
     *
     * @param sampler with its schedule; else DDIM
     * @param steps of the sampler, 1 to 1000; else 50, or 20 for a small model
     * @param guidance how much the prompt counts (classifier-free guidance, Ho and Salimans 2022); 1 and below turn it off; else 7.5,
     *     or 5 for a small model
     * @param guided the part of the steps that guidance is on for (Kynkäänniemi et al. 2024); elsewhere the prompt alone counts
     */
    public record Sampling(Optional<Sampler> sampler, OptionalInt steps, OptionalDouble guidance, StepRange guided) {
        /** All that the model's defaults say, guidance in every step. */
        public static final Sampling DEFAULT =
                new Sampling(Optional.empty(), OptionalInt.empty(), OptionalDouble.empty(), StepRange.WHOLE);

        /** Of {@code steps}. */
        public static final Range STEPS = Range.of(1, 1000);

        /** @throws IllegalArgumentException when steps are not 1 to 1000, or guidance is infinite or NaN */
        public Sampling {
            steps.ifPresent(n -> STEPS.check("steps", n));
            if (guidance.isPresent() && !Double.isFinite(guidance.getAsDouble()))
                throw new IllegalArgumentException("guidance: a number, got " + guidance.getAsDouble());
        }

        /** With another sampler and its schedule. */
        public Sampling sampler(Sampler sampler) {
            return new Sampling(Optional.of(sampler), steps, guidance, guided);
        }

        /** With so many steps, 1 to 1000. */
        public Sampling steps(int steps) {
            return new Sampling(sampler, OptionalInt.of(steps), guidance, guided);
        }

        /** With guidance by this factor; 1 and below turn it off. */
        public Sampling guidance(double guidance) {
            return new Sampling(sampler, steps, OptionalDouble.of(guidance), guided);
        }

        /** With guidance in this part of the steps alone. */
        public Sampling guided(StepRange guided) {
            return new Sampling(sampler, steps, guidance, guided);
        }
    }

    /** Part of a run: steps of which at least {@code from} and less than {@code to} of all steps are done before; 0 to 1. */
    public record StepRange(double from, double to) {
        /** All steps. */
        public static final StepRange WHOLE = new StepRange(0, 1);

        /** @throws IllegalArgumentException unless 0 ≤ from ≤ to ≤ 1 */
        public StepRange {
            if (!(0 <= from && from <= to && to <= 1))
                throw new IllegalArgumentException("part of the steps: 0 ≤ from ≤ to ≤ 1, got " + from + " to " + to);
        }

        @Override
        public String toString() {
            return BigDecimal.valueOf(from).toPlainString() + "-"
                    + BigDecimal.valueOf(to).toPlainString();
        }

        /** Reads {@code 0.2-0.8}. */
        public static StepRange parse(String text) {
            String[] ends = text.split("-", -1);
            try {
                if (ends.length == 2) return new StepRange(Double.parseDouble(ends[0]), Double.parseDouble(ends[1]));
            } catch (NumberFormatException e) {
                // Said below.
            }
            throw new IllegalArgumentException("part of the steps: from and to as in 0.2-0.8, got " + text);
        }

        /** Whether a moment of a run lies in it. */
        public boolean has(Sampler.StepInfo at) {
            double done = (at.step() - 1.0) / at.steps();
            return from <= done && done < to;
        }
    }

    /**
     * Where the noise comes from.
     *
     * @param seed picture i of a batch has seed + i; else random
     * @param source whose random numbers the seed stands for
     * @param variation another seed mixed into the first noise, where it should be
     * @param stepSeedDelta if not 0, the noise that steps take is that of seed + this (AUTOMATIC1111's "eta noise seed delta"); else it
     *     goes on where the first noise ended
     */
    public record Noise(OptionalLong seed, NoiseSource source, Optional<Variation> variation, long stepSeedDelta) {
        /** A random seed, numbers as PyTorch draws them on a CPU. */
        public static final Noise DEFAULT = new Noise(OptionalLong.empty(), NoiseSource.CPU, Optional.empty(), 0);

        /** From this seed; picture i of a batch has seed + i. */
        public Noise seed(long seed) {
            return new Noise(OptionalLong.of(seed), source, variation, stepSeedDelta);
        }

        /** With the random numbers of another tool or device. */
        public Noise source(NoiseSource source) {
            return new Noise(seed, source, variation, stepSeedDelta);
        }

        /** Turned towards another seed's. */
        public Noise variation(Variation variation) {
            return new Noise(seed, source, Optional.of(variation), stepSeedDelta);
        }

        /** With the steps' noise from seed + {@code delta}; 0 lets it go on where the first noise ended. */
        public Noise stepSeedDelta(long delta) {
            return new Noise(seed, source, variation, delta);
        }

        /** Picture i of a batch alone. */
        public Noise of(int i) {
            if (variation.isEmpty()) return seed(seed.orElseThrow() + i);
            Variation of = variation.get();
            return variation(new Variation(of.seed() + i, of.strength()));
        }
    }

    /**
     * A picture much like another: its first noise is turned towards that of another seed.
     *
     * @param seed picture i of a batch has this seed + i, and all have the request's seed
     * @param strength 0, as if it were not there, to 1, the other seed's noise alone
     */
    public record Variation(long seed, double strength) {
        /** Of {@code strength}. */
        public static final Range STRENGTH = Range.of(0, 1);

        /** @throws IllegalArgumentException when the strength is not 0 to 1 */
        public Variation {
            STRENGTH.check("variation strength", strength);
        }
    }

    /**
     * @throws IllegalArgumentException when the batch is below 1, or a side of the size is below 8 or no multiple of 8, or there are
     * more than 2880×2880 pixels in all
     */
    public Request {
        if (batch < 1) throw new IllegalArgumentException("batch: at least 1, got " + batch);
        size.ifPresent(Request::check);
    }

    private static void check(Size size) {
        if (size.width < 8 || size.height < 8 || size.width % 8 != 0 || size.height % 8 != 0)
            throw new IllegalArgumentException("size: multiples of 8, got " + size);
        // The decoder holds 256 channels of the whole picture in one array of at most 2^31 - 1 numbers.
        if ((long) size.width * size.height > 2880L * 2880L)
            throw new IllegalArgumentException("size: at most 2880x2880 pixels in all, got " + size);
    }

    /** One picture of a prompt; all else as the model's defaults say. */
    public static Request of(String prompt) {
        return new Request(
                new Text(prompt, "", 1, false),
                Sampling.DEFAULT,
                Noise.DEFAULT,
                Optional.empty(),
                1,
                Optional.empty(),
                Optional.empty(),
                Conditions.PLAIN);
    }

    /** With another text. */
    public Request with(Text text) {
        return new Request(text, sampling, noise, size, batch, start, hires, network);
    }

    /** With another sampler, steps or guidance. */
    public Request with(Sampling sampling) {
        return new Request(text, sampling, noise, size, batch, start, hires, network);
    }

    /** With noise from elsewhere. */
    public Request with(Noise noise) {
        return new Request(text, sampling, noise, size, batch, start, hires, network);
    }

    /** Beginning with a picture instead of noise alone. */
    public Request with(InitImage start) {
        return new Request(text, sampling, noise, size, batch, Optional.of(start), hires, network);
    }

    /** With a second, larger pass. */
    public Request with(HiresFix hires) {
        return new Request(text, sampling, noise, size, batch, start, Optional.of(hires), network);
    }

    /** With LoRAs, ControlNets and the like. */
    public Request with(Conditions network) {
        return new Request(text, sampling, noise, size, batch, start, hires, network);
    }

    /** With what should not be seen. */
    public Request negative(String negative) {
        return with(text.negative(negative));
    }

    /** With so many steps of the sampler, 1 to 1000. */
    public Request steps(int steps) {
        return with(sampling.steps(steps));
    }

    /** With the prompt counting this much; 1 and below turn guidance off. */
    public Request guidance(double guidance) {
        return with(sampling.guidance(guidance));
    }

    /** With another sampler and its schedule. */
    public Request sampler(Sampler sampler) {
        return with(sampling.sampler(sampler));
    }

    /** With this seed; picture i of a batch has seed + i. */
    public Request seed(long seed) {
        return with(noise.seed(seed));
    }

    /** So many pixels, multiples of 8. */
    public Request size(int width, int height) {
        return new Request(text, sampling, noise, Optional.of(new Size(width, height)), batch, start, hires, network);
    }

    /** So many pictures. */
    public Request batch(int batch) {
        return new Request(text, sampling, noise, size, batch, start, hires, network);
    }
}
