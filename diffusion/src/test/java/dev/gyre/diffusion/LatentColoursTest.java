package dev.gyre.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class LatentColoursTest {
    @Test
    void greyIsWhatLatentsOfZeroAreInStableDiffusion() {
        Preview preview = LatentColours.SD.picture(new double[4 * 6], 2, 3);
        assertEquals(List.of(3, 2), List.of(preview.width(), preview.height()));
        for (byte b : preview.rgb()) assertEquals(128, b & 0xFF);
        double[] latents = {0, 1, 0, 0, 0, 0, 0, 0}; // the second pixel's first channel
        assertArrayEquals(new int[] {128, 128, 128, 172, 157, 169}, unsigned(LatentColours.SD.picture(latents, 1, 2)));
    }

    private static int[] unsigned(Preview preview) {
        int[] values = new int[preview.rgb().length];
        for (int i = 0; i < values.length; i++) values[i] = preview.rgb()[i] & 0xFF;
        return values;
    }

    /** Fitted by least squares to 128 other pictures of the model's, and off by no more on these. */
    @Test
    @Tag("long")
    void theEmbeddedModelsMatrixSuitsItsPictures() {
        List<String> colours = List.of(
                "red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink", "brown", "white", "gray",
                "black");
        double[] error = {0};
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            for (int k = 0; k < 24; k++) {
                String prompt = "a " + colours.get(k % 12) + " ring on a " + colours.get(k * 5 % 12) + " background";
                sd.draw(Request.of(prompt).steps(10).seed(1000 + k), new Progress() {
                    @Override
                    public void step(Step step) {
                        if (step.step() == 10) error[0] += difference(step.look()) / 24;
                    }
                });
            }
        }
        System.out.printf("a quick look is off by %.1f of 255 on average%n", error[0]);
        assertTrue(error[0] < 45, "off by " + error[0]);
    }

    /** Between the quick look and the decoded one's means. */
    static double difference(Progress.Look look) {
        Preview quick = look.quick(), decoded = look.decoded();
        int pixels = decoded.width() / quick.width();
        double error = 0;
        for (int i = 0; i < quick.rgb().length; i++) {
            int row = i / 3 / quick.width() * pixels, column = i / 3 % quick.width() * pixels, sum = 0;
            for (int y = 0; y < pixels; y++)
                for (int x = 0; x < pixels; x++)
                    sum += decoded.rgb()[3 * ((row + y) * decoded.width() + column + x) + i % 3] & 0xFF;
            error += Math.abs((quick.rgb()[i] & 0xFF) - (double) sum / (pixels * pixels)) / quick.rgb().length;
        }
        return error;
    }
}
