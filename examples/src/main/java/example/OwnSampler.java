package example;

import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Sampler;
import java.io.IOException;
import java.nio.file.Path;

/** A sampler of one's own is one method: here Euler's, going a little too far in every step. */
public final class OwnSampler {
    private OwnSampler() {}

    /** @param args a folder to write to */
    public static void main(String[] args) throws IOException {
        Sampler bold = run -> (i, x) -> {
            double[] slope = run.epsilon(x, i), next = new double[x.length];
            double step = run.sigma(i + 1) - run.sigma(i);
            if (i + 1 < run.steps()) step *= 1.02;
            for (int j = 0; j < x.length; j++) next[j] = x[j] + step * slope[j];
            return next;
        };
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            Request request =
                    Request.of("a purple square on a white background").seed(3);
            sd.generate(request.sampler(bold)).write(Path.of(args[0], "bold.png"));
            sd.generate(request.sampler(Sampler.named("euler"))).write(Path.of(args[0], "euler.png"));
        }
    }
}
