package example;

import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.request.InitImage;
import dev.gyre.diffusion.request.Request;
import java.io.IOException;
import java.nio.file.Path;

/** A picture, and another that begins with it. */
public final class ImageToImage {
    private ImageToImage() {}

    /** @param args a folder to write to */
    public static void main(String[] args) throws IOException {
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            Picture first =
                    sd.generate(Request.of("a red circle on a blue background").seed(42));
            Request second = Request.of("a yellow star on a blue background")
                    .with(InitImage.of(first.image()).strength(0.85))
                    .seed(1);
            first.write(Path.of(args[0], "before.png"));
            sd.generate(second).write(Path.of(args[0], "after.png"));
        }
    }
}
