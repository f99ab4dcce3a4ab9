package dev.gyre.diffusion;

import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.adapter.ControlNet;
import dev.gyre.diffusion.adapter.Lora;
import dev.gyre.diffusion.adapter.SafetyChecker;
import dev.gyre.diffusion.adapter.TextualInversion;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.checkpoint.DiffusersKeys;
import dev.gyre.diffusion.family.ModelOptions;
import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.image.Png;
import dev.gyre.diffusion.metadata.DamagedParametersTest;
import dev.gyre.diffusion.metadata.Parameters;
import dev.gyre.jsafetensors.SafeTensorsException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every kind of file that users bring, damaged in every way: it is read, or refused in one sentence that names it. Whatever else is
 * thrown fails the test with the number of the file that did it.
 */
public class DamagedFilesTest {
    private static final int SOME = 40, MANY = 5000;

    /** Longer than any of them takes, shorter than anybody waits. */
    private static final Duration HANGS = Duration.ofMinutes(10);

    @TempDir
    private static Path folder;

    private static StableDiffusion sd;

    /**
     * A loader and a file for it.
     *
     * @param file which is damaged; what is opened has the word "damaged" in its path
     */
    private record Case(String name, Path file, Opening opening) {
        @Override
        public String toString() {
            return name;
        }
    }

    private interface Opening {
        void open() throws IOException;
    }

    @BeforeAll
    static void load() {
        sd = StableDiffusion.embedded();
    }

    @AfterAll
    static void close() {
        sd.close();
    }

    static Stream<Case> files() throws IOException {
        List<Case> all = new ArrayList<>();
        Path model = damaged("model", "safetensors");
        Map<String, Variants.Data> tensors = Variants.tiny(model);
        all.add(new Case("checkpoint", model, () -> use(Checkpoint.open(model))));
        vaes(tensors, all);
        folder(tensors, all);
        for (String name : List.of("lora-kohya", "lora-peft")) {
            Path lora = copy(name + ".safetensors", "safetensors");
            all.add(new Case(name, lora, () -> use(Lora.open(lora))));
        }
        for (String name : List.of("wobbly", "wobbly-diffusers", "bundled")) {
            Path word = name.equals("bundled") ? bundle() : copy(name + ".safetensors", "safetensors");
            all.add(new Case("textual inversion " + name, word, () -> TextualInversion.open(word)));
        }
        Path control = damaged("control", "safetensors");
        Variants.controlNet(control, Variants.TINY.unet(), 1, key -> key);
        all.add(new Case("ControlNet", control, () -> use(ControlNet.open(control))));
        Path checker = damaged("checker", "safetensors");
        Variants.checker(checker, key -> key);
        all.add(new Case(
                "safety checker", checker, () -> SafetyChecker.open(checker).close()));
        for (String name : List.of(
                "rgb.png",
                "gray16.png",
                "alpha.png",
                "one-bit.png",
                "palette.gif",
                "rgb.bmp",
                "rgb.tiff",
                "smooth.jpg",
                "turned-6.jpg",
                "lossless.webp",
                "smooth.webp")) {
            Path image = copy("images/" + name, name.substring(name.lastIndexOf('.') + 1));
            all.add(new Case(name, image, () -> Image.read(image)));
        }
        Path picture = damaged("picture", "png");
        Files.write(picture, Png.encode(8, 8, new byte[192], Optional.of(DamagedParametersTest.OWN)));
        all.add(new Case("PNG with parameters", picture, () -> Parameters.read(picture)));
        return all.stream();
    }

    /** A new folder's file to be damaged. */
    private static Path damaged(String kind, String ending) throws IOException {
        return Files.createTempDirectory(folder, kind).resolve("damaged." + ending);
    }

    private static Path copy(String resource, String ending) throws IOException {
        Path to = damaged("copy", ending);
        try (InputStream in = DamagedFilesTest.class.getResourceAsStream(resource)) {
            Files.copy(in, to);
        }
        return to;
    }

    private static Path bundle() throws IOException {
        Map<String, Variants.Data> all = new LinkedHashMap<>();
        all.put("bundle_emb.one.string_to_param.*", Variants.Data.of(new float[128], 2, 64));
        all.put("bundle_emb.two.clip_l", Variants.Data.of(new float[64], 1, 64));
        all.put("lora_te_text_model_encoder_layers_0_mlp_fc1.lora_up.weight", Variants.Data.of(new float[256], 256, 1));
        all.put("lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight", Variants.Data.of(new float[64], 1, 64));
        return Variants.write(damaged("bundle", "safetensors"), all, Map.of());
    }

    private static void vaes(Map<String, Variants.Data> tensors, List<Case> all) throws IOException {
        Map<String, Variants.Data> bare = new LinkedHashMap<>(), other = new LinkedHashMap<>();
        DiffusersKeys names = Variants.TINY_VAE_NAMES;
        tensors.forEach((key, data) -> {
            if (!key.startsWith(Checkpoint.VAE + ".")) return;
            String name = key.substring(Checkpoint.VAE.length() + 1);
            bare.put(name, data);
            other.put(names.diffusers(name).orElseThrow(), data);
        });
        Path model = folder.resolve("whole.safetensors");
        Variants.tiny(model);
        for (Map<String, Variants.Data> layout : List.of(bare, other)) {
            Path vae = Variants.write(damaged("vae", "safetensors"), layout, Map.of());
            String name = layout == bare ? "VAE" : "VAE of diffusers";
            all.add(new Case(name, vae, () -> {
                Checkpoint checkpoint = Checkpoint.open(model);
                try {
                    checkpoint.vae(vae);
                } catch (IOException | RuntimeException e) {
                    checkpoint.close();
                    throw e;
                }
                use(checkpoint);
            }));
        }
    }

    /** A folder as diffusers has it, each of whose files is damaged by itself. */
    private static void folder(Map<String, Variants.Data> tensors, List<Case> all) throws IOException {
        Path root = Files.createDirectories(folder.resolve("damaged"));
        Variants.tinyFolder(tensors, root);
        List<Path> files;
        try (Stream<Path> within = Files.walk(root)) {
            files = within.filter(Files::isRegularFile).sorted().toList();
        }
        for (Path file : files)
            all.add(new Case(root.relativize(file).toString(), file, () -> use(Checkpoint.open(root))));
        Path control = Files.createDirectories(folder.resolve("net-damaged"));
        Path net = Variants.controlNet(
                control.resolve("diffusion_pytorch_model.safetensors"),
                Variants.TINY.unet(),
                2,
                key -> Variants.TINY_UNET_NAMES
                        .diffusers(key.substring("control_model.".length()))
                        .orElseThrow());
        all.add(new Case("ControlNet of diffusers", net, () -> use(ControlNet.open(control))));
    }

    private static void use(Checkpoint checkpoint) {
        StableDiffusion.load(checkpoint, new JvmBackend(1), ModelOptions.DEFAULT.ema(checkpoint.hasEma()))
                .close();
    }

    private static void use(Lora opened) {
        try (Lora lora = opened) {
            lora.words();
            lora.additions(sd.checkpoint(), sd.model().config());
        }
    }

    private static void use(ControlNet opened) {
        try (ControlNet net = opened) {
            net.check(Variants.TINY.unet());
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void isReadOrRefusedInASentence(Case one) throws IOException {
        damage(one, 1, SOME);
    }

    @ParameterizedTest
    @MethodSource("files")
    @Tag("long")
    void manyAreReadOrRefusedInASentence(Case one) throws IOException {
        damage(one, 2, MANY);
    }

    private static void damage(Case one, int seed, int rounds) throws IOException {
        byte[] whole = Files.readAllBytes(one.file);
        AtomicInteger round = new AtomicInteger();
        int[] outcomes = new int[2];
        try {
            one.opening.open();
            assertTimeoutPreemptively(HANGS, () -> {
                for (; round.get() < rounds; round.incrementAndGet()) {
                    Damage.write(whole, new Random(1000003L * seed + round.get()), one.file);
                    outcomes[isRead(one) ? 0 : 1]++;
                }
            });
        } catch (Throwable e) {
            throw new AssertionError(one + ", seed " + seed + ", file " + round + ": " + e, e);
        } finally {
            Files.write(one.file, whole);
        }
        assertTrue(
                outcomes[1] > rounds / 10, one + ": of " + rounds + " damaged files only " + outcomes[1] + " refused");
    }

    private static boolean isRead(Case one) {
        try {
            one.opening.open();
            return true;
        } catch (IOException | IllegalArgumentException e) {
            sentence(e, "damaged");
            return false;
        }
    }

    /** It is one of ours, names the file, and tells nothing of Java. */
    public static void sentence(Exception e, String name) {
        assertTrue(
                List.of(
                                IOException.class,
                                NoSuchFileException.class,
                                SafeTensorsException.class,
                                IllegalArgumentException.class)
                        .contains(e.getClass()),
                () -> "thrown: " + e);
        String text = String.valueOf(e.getMessage());
        assertTrue(text.contains(name), () -> "names no file: " + e);
        String first = text.lines().findFirst().orElse("");
        assertTrue(
                first.length() < 1200 && !first.matches(".*(java|sun|twelvemonkeys)\\..*|.*Exception.*|.*: null"),
                () -> "no sentence: " + e);
        assertTrue(text.getBytes(StandardCharsets.UTF_8).length < 1 << 20, "as long as a book");
    }
}
