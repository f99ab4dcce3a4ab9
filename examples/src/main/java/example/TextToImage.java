package example;

import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Sampler;
import java.io.IOException;
import java.nio.file.Path;

/** A picture of a sentence. */
public final class TextToImage {
    private TextToImage() {}

    /** @param args a folder to write to */
    public static void main(String[] args) throws IOException {
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            Request request = Request.of("a green heart on a white background")
                    .sampler(Sampler.named("dpm++2m karras"))
                    .steps(20)
                    .seed(7);
            sd.generate(request).write(Path.of(args[0], "heart.png"));
        }
    }
}
