package dev.gyre.diffusion.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.Precision;
import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.References;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.Variants;
import dev.gyre.diffusion.adapter.ControlNet;
import dev.gyre.diffusion.adapter.Lora;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.family.ModelConfig;
import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.request.Conditions;
import dev.gyre.diffusion.request.InitImage;
import dev.gyre.diffusion.request.Request;
import dev.gyre.jsafetensors.SafeTensors;
import dev.gyre.jsafetensors.StoredType;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A number that is not finite ends a drawing, wherever it comes from, and the sentence says from where: no picture is black for it. */
class NonFiniteSearchTest {
    private static final String CONVOLUTION = "model.diffusion_model.input_blocks.4.0.in_layers.2.weight",
            NORM = "model.diffusion_model.output_blocks.9.0.in_layers.0.bias",
            DECODER = "first_stage_model.decoder.mid.block_1.conv1.weight",
            ENCODER = "first_stage_model.encoder.conv_in.bias",
            TEXT = "cond_stage_model.transformer.text_model.encoder.layers.1.mlp.fc1.weight",
            UNET_SAYS = "step 1 of 3: the UNet at timestep ", // 667 comes next
            HOLDS_ONE = " gave a number that is not finite; the weight ";

    private static final Request REQUEST = Request.of("a red circle").steps(3).seed(1);

    @TempDir
    private static Path folder;

    /** Weights, and what is said where one of their numbers is none. */
    static Stream<Arguments> weights() {
        Request image =
                REQUEST.with(InitImage.of(References.image("circle.png")).strength(1));
        return Stream.of(
                        Arguments.of(
                                CONVOLUTION, UNET_SAYS + "667.0" + HOLDS_ONE + CONVOLUTION + " holds one", REQUEST),
                        Arguments.of(NORM, UNET_SAYS + "667.0" + HOLDS_ONE + NORM + " holds one", REQUEST),
                        Arguments.of(DECODER, "the VAE's decoder" + HOLDS_ONE + DECODER + " holds one", REQUEST),
                        Arguments.of(ENCODER, "the VAE's encoder" + HOLDS_ONE + ENCODER + " holds one", image),
                        Arguments.of(TEXT, "the text encoder" + HOLDS_ONE + TEXT + " holds one", REQUEST))
                .flatMap(one -> Stream.of(Precision.values())
                        .filter(precision -> precision.refusal().isEmpty())
                        .map(precision -> Arguments.of(one.get()[0], one.get()[1], one.get()[2], precision)));
    }

    @ParameterizedTest
    @MethodSource("weights")
    void aWeightThatIsNoneIsNamed(String key, String sentence, Request request, Precision precision)
            throws IOException {
        for (double number : new double[] {Double.NaN, Double.NEGATIVE_INFINITY}) {
            Path file = Variants.embedded(
                    folder.resolve("damaged.safetensors"), (all, source) -> all.put(key, with(all.get(key), number)));
            JvmBackend.Options options = JvmBackend.Options.DEFAULT.threads(2).precision(precision);
            try (StableDiffusion sd = StableDiffusion.load(Checkpoint.open(file), new JvmBackend(options))) {
                assertEquals(sentence, said(sd, request));
            }
        }
    }

    /** Its seventh number is another. */
    private static Variants.Data with(Variants.Data data, double number) {
        byte[] bytes = data.bytes().toArray(ValueLayout.JAVA_BYTE);
        MemorySegment all = MemorySegment.ofArray(bytes);
        if (data.dtype() == StoredType.F32)
            all.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 7, (float) number);
        else
            all.setAtIndex(
                    ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 7, Float.floatToFloat16((float)
                            number));
        return new Variants.Data(data.dtype(), data.shape(), all);
    }

    /** What a drawing that must fail says; no picture may come of it. */
    private static String said(StableDiffusion sd, Request request) {
        return assertThrows(
                        ArithmeticException.class,
                        () -> sd.generate(request, new Progress() {
                            @Override
                            public void picture(Picture picture) {
                                throw new AssertionError("there is a picture");
                            }
                        }))
                .getMessage();
    }

    @Test
    void theLayerThatGoesBeyondAllNumbersIsNamed() throws IOException {
        String first = "model.diffusion_model.input_blocks.0.0.weight", last = "model.diffusion_model.out.2.weight";
        Path file = Variants.embedded(folder.resolve("loud.safetensors"), (all, source) -> {
            for (String key : List.of(first, last)) {
                float[] values = source.floats(key);
                for (int i = 0; i < values.length; i++) values[i] *= key.equals(first) ? 1e37f : 1e38f;
                long[] shape = all.get(key).shape();
                all.put(key, Variants.Data.of(values, shape));
            }
        });
        try (StableDiffusion sd = StableDiffusion.load(file)) {
            String said = said(sd, REQUEST);
            assertTrue(
                    said.matches("step 1 of 3: the UNet at timestep 667\\.0 gave a number that is not finite; the first"
                            + " comes out of model\\.diffusion_model\\.\\S+ \\(\\w+\\)"),
                    said);
        }
    }

    @Test
    void weightsInEightBitsAreRefusedByName() throws IOException {
        Path file = Variants.embedded(
                folder.resolve("q8.safetensors"),
                (all, source) -> all.put(CONVOLUTION, with(all.get(CONVOLUTION), Double.NaN)));
        try (StableDiffusion sd = StableDiffusion.load(file)) {
            Exception e = assertThrows(ArithmeticException.class, sd::quantize);
            assertTrue(
                    e.getMessage().contains(CONVOLUTION + ": a weight of NaN exceeds the range of Q8_0"), e.toString());
        }
    }

    @Test
    void adaptersAndControlsAreNamed() throws IOException {
        Map<String, Variants.Data> all = new LinkedHashMap<>();
        try (InputStream in = References.class.getResourceAsStream("lora-peft.safetensors")) {
            SafeTensors source = SafeTensors.read(in, "lora");
            for (String key : source.names()) all.put(key, Variants.data(source, key));
            String up = source.names().stream()
                    .filter(key -> key.startsWith("unet.") && key.endsWith("lora_B.weight"))
                    .findFirst()
                    .orElseThrow();
            all.put(up, with(all.get(up), Double.NaN));
            Variants.write(folder.resolve("lora.safetensors"), all, source.metadata());
        }
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            Path net = Variants.controlNet(
                    folder.resolve("net.safetensors"),
                    ModelConfig.of(sd.checkpoint()).unet(),
                    1,
                    key -> key);
            all.clear();
            try (SafeTensors source = SafeTensors.open(net)) {
                for (String key : source.names()) all.put(key, Variants.data(source, key));
                String key = "control_model.zero_convs.2.0.bias";
                all.put(key, with(all.get(key), Double.POSITIVE_INFINITY));
                Variants.write(folder.resolve("bad.safetensors"), all, Map.of());
            }
            try (Lora lora = Lora.open(folder.resolve("lora.safetensors"));
                    ControlNet control = ControlNet.open(folder.resolve("bad.safetensors"))) {
                String said = said(sd, REQUEST.with(Conditions.PLAIN.lora(lora, 1)));
                assertTrue(said.startsWith("step 1 of 3: the UNet at timestep 667.0" + HOLDS_ONE), said);
                assertTrue(
                        said.contains("the weight model.diffusion_model.")
                                && said.endsWith(" (an adapter's up) holds one"),
                        said);
                Image image = References.image("circle.png");
                assertEquals(
                        "step 1 of 3: the ControlNet bad at timestep 667.0" + HOLDS_ONE
                                + "zero_convs.2.0.bias holds one",
                        said(sd, REQUEST.with(Conditions.PLAIN.control(Conditions.Control.of(control, image)))));
                sd.unload(lora);
                sd.unload(control);
            }
        }
    }

    @Test
    void whatIsGivenIsToBlameWhereItIs() throws Exception {
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            float[] z = new float[4 * 64];
            Arrays.fill(z, 5, 6, Float.NaN);
            assertEquals(
                    "the VAE's decoder gave a number that is not finite; it was given one, in its input \"z\"",
                    assertThrows(ArithmeticException.class, () -> sd.decode(z, 8, 8))
                            .getMessage());
            Request loud = REQUEST.guidance(1e300);
            String sentence = "step 1 of 3: guidance of 1.0E300 is too much: it gave a number that is not finite";
            assertEquals(sentence, said(sd, loud));
            // It fails alone, and those that are drawn with it go on.
            List<Future<List<Picture>>> together =
                    sd.generateTogether(List.of(REQUEST, loud), Collections.nCopies(2, Progress.NONE));
            assertEquals(128, together.get(0).get().get(0).width());
            assertEquals(
                    sentence,
                    assertThrows(ExecutionException.class, together.get(1)::get)
                            .getCause()
                            .getMessage());
        }
    }
}
