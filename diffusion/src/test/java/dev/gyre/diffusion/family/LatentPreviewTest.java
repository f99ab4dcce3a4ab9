package dev.gyre.diffusion.family;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.output.Preview;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.request.Request;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

public class LatentPreviewTest {
    @Test
    void greyIsWhatLatentsOfZeroAreInStableDiffusion() {
        Image preview = StableDiffusionV1.V1_5.latents().preview().picture(new double[4 * 6], 2, 3);
        assertEquals(List.of(3, 2), List.of(preview.width(), preview.height()));
        for (byte b : preview.rgb()) assertEquals(128, b & 0xFF);
        double[] latents = {0, 1, 0, 0, 0, 0, 0, 0}; // the second pixel's first channel
        assertArrayEquals(
                new int[] {128, 128, 128, 172, 157, 169},
                unsigned(StableDiffusionV1.V1_5.latents().preview().picture(latents, 1, 2)));
    }

    private static int[] unsigned(Image preview) {
        int[] values = new int[preview.rgb().length];
        for (int i = 0; i < values.length; i++) values[i] = preview.rgb()[i] & 0xFF;
        return values;
    }

    /** Terms of the embedded model's rows: one, four channels, ten products of two. */
    private static final int TERMS = 15;

    /** Of pictures that the VAE was not fitted to: the matrix is about as near as the best there can be for these very pictures. */
    @Test
    void theEmbeddedModelsMatrixIsNearlyWhatLeastSquaresGive() {
        List<double[]> terms = new ArrayList<>(), colours = new ArrayList<>();
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            for (int k = 0; k < 12; k++) look(sd, drawn(k), terms, colours);
        }
        double[][] best = new double[3][];
        for (int c = 0; c < 3; c++) best[c] = leastSquares(terms, colours, c);
        double least = difference(best, terms, colours),
                ours = difference(SmallModels.PREVIEW.matrix(), terms, colours);
        System.out.printf("a pixel is off by %.1f of 255; by least squares of the same pictures %.1f%n", ours, least);
        assertTrue(ours < 1.25 * least, "off by " + ours + ", the best is off by " + least);
    }

    /** A shape on a background, in two of twelve colours. */
    private static Image drawn(int k) {
        int[] all = {
            0xE02020, 0xFF9010, 0xFFE030, 0x30B040, 0x40C0D0, 0x2850D0, 0x8040B0, 0xF880B0, 0x805030, 0xFFFFFF,
            0x808080, 0x101010
        };
        BufferedImage picture = new BufferedImage(128, 128, BufferedImage.TYPE_INT_RGB);
        Graphics2D pen = picture.createGraphics();
        pen.setColor(new Color(all[k]));
        pen.fillRect(0, 0, 128, 128);
        pen.setColor(new Color(all[(5 * k + 3) % 12]));
        int side = 40 + 4 * k, at = 10 + 3 * k;
        if (k % 2 == 0) pen.fillOval(at, 64 - side / 2, side, side);
        else pen.fillRect(64 - side / 2, at, side, side);
        pen.dispose();
        byte[] rgb = new byte[3 * 128 * 128];
        for (int i = 0; i < rgb.length; i++)
            rgb[i] = (byte) (picture.getRGB(i / 3 % 128, i / 3 / 128) >> (16 - 8 * (i % 3)));
        return Image.of(128, 128, rgb);
    }

    /** For each latent of a picture, its terms and the mean colour of the pixels that the decoder makes of it. */
    private static void look(StableDiffusion sd, Image image, List<double[]> terms, List<double[]> colours) {
        float[] moments = sd.encode(image.planes(), 128, 128), z = new float[4 * 256];
        for (int i = 0; i < z.length; i++) z[i] = moments[i] * 0.18215f;
        float[] decoded = sd.decode(z, 16, 16);
        for (int cell = 0; cell < 256; cell++) {
            double[] term = new double[TERMS], colour = new double[3];
            int at = 0;
            term[at++] = 1;
            for (int a = 0; a < 4; a++) term[at++] = z[a * 256 + cell];
            for (int a = 0; a < 4; a++)
                for (int b = a; b < 4; b++) term[at++] = (double) z[a * 256 + cell] * z[b * 256 + cell];
            for (int i = 0; i < 3 * 64; i++) {
                int y = cell / 16 * 8 + i % 64 / 8, x = cell % 16 * 8 + i % 8;
                colour[i / 64] += Math.clamp(decoded[i / 64 * 128 * 128 + y * 128 + x], -1f, 1f) / 64;
            }
            terms.add(term);
            colours.add(colour);
        }
    }

    /** By the normal equations, of one colour. */
    private static double[] leastSquares(List<double[]> terms, List<double[]> colours, int c) {
        double[][] m = new double[TERMS][TERMS + 1];
        for (int n = 0; n < terms.size(); n++)
            for (int i = 0; i < TERMS; i++) {
                for (int j = 0; j < TERMS; j++) m[i][j] += terms.get(n)[i] * terms.get(n)[j];
                m[i][TERMS] += terms.get(n)[i] * colours.get(n)[c];
            }
        for (int i = 0; i < TERMS; i++) {
            int pivot = i;
            for (int r = i + 1; r < TERMS; r++) if (Math.abs(m[r][i]) > Math.abs(m[pivot][i])) pivot = r;
            double[] swapped = m[i];
            m[i] = m[pivot];
            m[pivot] = swapped;
            for (int r = 0; r < TERMS; r++) {
                if (r == i) continue;
                double factor = m[r][i] / m[i][i];
                for (int j = i; j <= TERMS; j++) m[r][j] -= factor * m[i][j];
            }
        }
        double[] row = new double[TERMS];
        for (int i = 0; i < TERMS; i++) row[i] = m[i][TERMS] / m[i][i];
        return row;
    }

    /** How far a pixel is off on average, of 255. */
    private static double difference(double[][] matrix, List<double[]> terms, List<double[]> colours) {
        double sum = 0;
        for (int n = 0; n < terms.size(); n++)
            for (int c = 0; c < 3; c++) {
                double colour = 0;
                for (int i = 0; i < TERMS; i++) colour += matrix[c][i] * terms.get(n)[i];
                sum += Math.abs(Math.clamp(colour, -1, 1) - colours.get(n)[c]) * 127.5;
            }
        return sum / (3 * terms.size());
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
                sd.generate(Request.of(prompt).steps(10).seed(1000 + k), new Progress() {
                    @Override
                    public void step(Step step) {
                        if (step.step() == 10) error[0] += difference(step.previews()) / 24;
                    }
                });
            }
        }
        System.out.printf("a quick look is off by %.1f of 255 on average%n", error[0]);
        assertTrue(error[0] < 45, "off by " + error[0]);
    }

    /** Between the quick look and the decoded one's means. */
    public static double difference(Progress.Previews look) {
        Preview quick = look.approximate(), decoded = look.decoded();
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
