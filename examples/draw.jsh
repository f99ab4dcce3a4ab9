import dev.gyre.diffusion.*
import dev.gyre.diffusion.request.*
import java.nio.file.Path

try (var sd = StableDiffusion.embedded()) {
    sd.generate(Request.of("a red circle on a blue background").seed(42)).write(Path.of("jshell.png"));
}
/exit
