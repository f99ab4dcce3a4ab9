package dev.gyre.diffusion.adapter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.diffusion.InitImageTest;
import dev.gyre.diffusion.References;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.Variants;
import dev.gyre.diffusion.family.ModelConfig;
import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.request.Conditions;
import dev.gyre.diffusion.request.Request;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** ControlNets of hashed weights beside the embedded model, against diffusers' pipeline. */
class ControlNetTest {
    private static final References GOLDEN = References.of("pictures.safetensors");
    private static final Image CIRCLE = References.image("circle.png");
    private static StableDiffusion sd;

    @TempDir
    private static Path folder;

    @BeforeAll
    static void load() {
        sd = StableDiffusion.embedded();
    }

    @AfterAll
    static void close() {
        sd.close();
    }

    private static Path write(String name, int seed, UnaryOperator<String> rename) throws IOException {
        return Variants.controlNet(
                folder.resolve(name), ModelConfig.of(sd.checkpoint()).unet(), seed, rename);
    }

    private static Image half() {
        byte[] rgb = new byte[3 * 128 * 128];
        for (int i = 0; i < rgb.length; i++) rgb[i] = (byte) (i / 3 % 128 >= 64 ? 255 : 0);
        return Image.of(128, 128, rgb);
    }

    @Test
    void oneForAPartOfTheSteps() throws IOException {
        ControlNet net = ControlNet.open(write("one.safetensors", 1, key -> key));
        Conditions network =
                Conditions.PLAIN.control(new Conditions.Control(net, CIRCLE, 0.8, new Request.StepRange(0, 0.6)));
        GOLDEN.check(
                "control.one",
                InitImageTest.latents(sd, InitImageTest.request("euler").with(network)));
        sd.unload(net);
    }

    @Test
    void severalAtOnceInTheOriginalsLayoutAndDiffusers() throws IOException {
        Map<String, String> names = new LinkedHashMap<>();
        try (BufferedReader in = new BufferedReader(new InputStreamReader(
                References.class.getResourceAsStream("diffusers-keys.tsv"), StandardCharsets.UTF_8))) {
            in.lines()
                    .map(line -> line.split("\t"))
                    .filter(l -> l[0].equals("controlnet"))
                    .forEach(l -> names.put(l[2], l[1]));
        }
        ControlNet first = ControlNet.open(write("first.safetensors", 1, key -> key.replace("control_model.", "")));
        ControlNet second = ControlNet.open(write("second.safetensors", 2, names::get));
        Conditions network = Conditions.PLAIN
                .control(new Conditions.Control(first, CIRCLE, 0.5, Request.StepRange.WHOLE))
                .control(new Conditions.Control(second, half(), 1.2, new Request.StepRange(0.2, 1)));
        Request request = InitImageTest.request("ddim");
        GOLDEN.check("control.two", InitImageTest.latents(sd, request.with(network)));
        byte[] plain = sd.generate(request.steps(2)).rgb();
        assertFalse(
                Arrays.equals(plain, sd.generate(request.steps(2).with(network)).rgb()));
        Conditions none = Conditions.PLAIN.control(new Conditions.Control(first, CIRCLE, 0, Request.StepRange.WHOLE));
        assertArrayEquals(plain, sd.generate(request.steps(2).with(none)).rgb());
        sd.unload(first);
        sd.unload(second);
        assertArrayEquals(plain, sd.generate(request.steps(2)).rgb());
    }

    @Test
    void whatIsNoneIsNamed() throws IOException {
        Exception lora = assertThrows(
                IllegalArgumentException.class,
                () -> ControlNet.open(References.copy("lora-kohya.safetensors", folder)));
        assertTrue(lora.getMessage().startsWith("lora-kohya: not a ControlNet: expected tensors"), lora.getMessage());
        Path gaps =
                write("gaps.safetensors", 1, key -> key.equals("control_model.zero_convs.3.0.weight") ? "other" : key);
        try (ControlNet net = ControlNet.open(gaps)) {
            Conditions network = Conditions.PLAIN.control(Conditions.Control.of(net, CIRCLE));
            Exception e = assertThrows(
                    IllegalArgumentException.class,
                    () -> sd.generate(InitImageTest.request("ddim").with(network)));
            assertTrue(
                    e.getMessage().startsWith("gaps: a ControlNet for another model: 1 tensors are missing"),
                    e.getMessage());
        }
    }
}
