package example;

import dev.gyre.core.Observer;
import dev.gyre.core.Op;
import dev.gyre.core.Tensor;
import dev.gyre.core.Value;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.request.Request;
import dev.gyre.nn.attention.Attention;
import dev.gyre.nn.attention.AttentionMap;
import dev.gyre.tokenizer.ClipTokenizer;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import javax.imageio.ImageIO;

/**
 * Where the picture looks at which word: the maps of the UNet's cross-attention, averaged over heads, layers and steps, brought to one
 * size and brightened, a picture for each token.
 */
public final class AttentionPictures {
    private static final int SIDE = 128;

    private AttentionPictures() {}

    /** Sums up the maps; of a guided step's two pictures it takes the second, which is drawn with the prompt. */
    private static final class Maps implements Observer {
        private final float[][] sums; // [token][SIDE · SIDE]

        Maps(int tokens) {
            sums = new float[tokens][SIDE * SIDE];
        }

        @Override
        public boolean wants(Op op) {
            return op instanceof Attention
                    && op.output().graph().names(op.output()).stream().anyMatch(name -> name.endsWith("attn2.heads"));
        }

        @Override
        public void made(Op op, Function<Value, Tensor> values) {
            Attention attention = (Attention) op;
            float[] map = AttentionMap.of(attention, values)
                    .floats(); // [2, heads, pixels, keys], key 0 being the mark before the text
            int pixels = attention.q().dim(1), keys = attention.k().dim(1), heads = attention.heads();
            int side = (int) Math.sqrt(pixels);
            for (int token = 0; token < sums.length; token++)
                for (int i = 0; i < SIDE * SIDE; i++) {
                    int pixel = i / SIDE * side / SIDE * side + i % SIDE * side / SIDE;
                    for (int head = 0; head < heads; head++)
                        sums[token][i] += map[((heads + head) * pixels + pixel) * keys + token + 1];
                }
        }
    }

    /** @param args a folder to write to */
    public static void main(String[] args) throws IOException {
        String prompt = "a red circle on a blue background";
        List<Integer> tokens = ClipTokenizer.load().encode(prompt);
        Maps maps = new Maps(tokens.size());
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            sd.observe(maps);
            sd.generate(Request.of(prompt).seed(42)).write(Path.of(args[0], "attended.png"));
        }
        BufferedImage strip = new BufferedImage(tokens.size() * SIDE, SIDE, BufferedImage.TYPE_BYTE_GRAY);
        for (int token = 0; token < tokens.size(); token++) {
            float least = Float.MAX_VALUE, most = 0;
            for (float v : maps.sums[token]) {
                least = Math.min(least, v);
                most = Math.max(most, v);
            }
            for (int i = 0; i < SIDE * SIDE; i++) {
                int light = Math.round(255 * (maps.sums[token][i] - least) / (most - least));
                strip.getRaster().setSample(token * SIDE + i % SIDE, i / SIDE, 0, light);
            }
        }
        ImageIO.write(strip, "png", Path.of(args[0], "attention.png").toFile());
    }
}
