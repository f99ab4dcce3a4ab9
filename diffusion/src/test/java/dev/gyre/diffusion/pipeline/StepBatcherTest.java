package dev.gyre.diffusion.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.request.InitImage;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Sampler;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class StepBatcherTest {
    private static Request request(String prompt, long seed, int steps, String sampler) {
        return Request.of(prompt).seed(seed).steps(steps).sampler(Sampler.named(sampler));
    }

    private static List<Progress> silent(int count) {
        return Collections.nCopies(count, Progress.NONE);
    }

    @Test
    void everyPictureIsWhatItIsAlone() throws Exception {
        List<Request> requests = List.of(
                request("a red circle on a blue background", 1, 4, "ddim"),
                request("a green heart", 2, 4, "ddim").negative("blue"),
                request("a yellow star", 3, 6, "euler_a"),
                request("a cyan moon", 4, 3, "heun").guidance(1),
                request("a purple ring", 5, 2, "ddim").size(64, 128),
                request("a white cross", 6, 3, "ddim").batch(3));
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            List<Future<List<Picture>>> together = sd.generateTogether(requests, silent(6));
            for (int i = 0; i < requests.size(); i++) {
                List<Picture> alone = sd.generate(requests.get(i), Progress.NONE),
                        pictures = together.get(i).get();
                assertEquals(requests.get(i).batch(), pictures.size());
                for (int j = 0; j < pictures.size(); j++) {
                    assertArrayEquals(alone.get(j).rgb(), pictures.get(j).rgb(), "picture " + j + " of request " + i);
                    assertEquals(alone.get(j).parameters(), pictures.get(j).parameters());
                }
            }
        }
    }

    @Test
    void oneThatEndsEarlyLeavesTheOthersGoing() throws Exception {
        AtomicInteger steps = new AtomicInteger();
        Progress cancelled = new Progress() {
            @Override
            public void step(Step step) {
                steps.set(step.step());
            }

            @Override
            public boolean cancelled() {
                return steps.get() == 2;
            }
        };
        Request good = request("a red circle", 1, 5, "ddim");
        Request bad = good.with(InitImage.of(Image.of(8, 8, new byte[192])).strength(0.01));
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            List<Future<List<Picture>>> together =
                    sd.generateTogether(List.of(good, good, bad), List.of(Progress.NONE, cancelled, Progress.NONE));
            assertArrayEquals(
                    sd.generate(good).rgb(), together.get(0).get().get(0).rgb());
            assertInstanceOf(CancellationException.class, failure(together.get(1)));
            assertInstanceOf(IllegalArgumentException.class, failure(together.get(2)));
            assertEquals(2, steps.get());
        }
    }

    private static Throwable failure(Future<?> future) {
        return assertThrows(ExecutionException.class, future::get).getCause();
    }

    @Test
    void whereMemoryIsShortOneRunIsForOne() throws Exception {
        Request circle = request("a red circle", 1, 2, "ddim");
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            byte[] alone = sd.generate(circle).rgb();
            sd.memoryLimit(1 << 20);
            for (Future<List<Picture>> future : sd.generateTogether(List.of(circle, circle), silent(2)))
                assertArrayEquals(alone, future.get().get(0).rgb());
        }
    }

    @Test
    void anInterruptEndsAllOfThem() throws Exception {
        Request endless = request("a red circle", 1, 900, "ddim");
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            FutureTask<InterruptedException> ended = new FutureTask<>(() -> assertThrows(
                    InterruptedException.class,
                    () -> sd.generateTogether(List.of(endless, endless.seed(2)), silent(2))));
            Thread drawing = Thread.ofPlatform().start(ended);
            Thread.sleep(300);
            drawing.interrupt();
            ended.get(20, TimeUnit.SECONDS);
        }
    }
}
