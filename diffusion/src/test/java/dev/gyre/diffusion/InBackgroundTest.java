package dev.gyre.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.core.jvm.JvmBackend;
import dev.gyre.diffusion.checkpoint.Checkpoint;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.request.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Drawings that nobody waits for, and several models at once. */
class InBackgroundTest {
    private static final Request REQUEST =
            Request.of("a red circle on a blue background").steps(4).seed(42);

    @Test
    void aDrawingInTheBackgroundIsTheSame() throws Exception {
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            CompletableFuture<List<Picture>> first = sd.generateAsync(REQUEST, Progress.NONE);
            CompletableFuture<List<Picture>> second = sd.generateAsync(REQUEST.batch(2), Progress.NONE);
            byte[] expected = sd.generate(REQUEST).rgb();
            assertArrayEquals(
                    expected, first.get(1, TimeUnit.MINUTES).getFirst().rgb());
            assertArrayEquals(
                    expected, second.get(1, TimeUnit.MINUTES).getFirst().rgb());
            assertEquals(2, second.get().size());
        }
    }

    @Test
    void cancellingEndsItWithinAStep() throws Exception {
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            CountDownLatch begun = new CountDownLatch(1), cancelled = new CountDownLatch(1);
            AtomicInteger steps = new AtomicInteger();
            CompletableFuture<List<Picture>> drawing = sd.generateAsync(REQUEST.steps(1000), new Progress() {
                @Override
                public void step(Step step) {
                    steps.incrementAndGet();
                    begun.countDown();
                    try {
                        cancelled.await();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                }
            });
            assertTrue(begun.await(1, TimeUnit.MINUTES));
            assertTrue(drawing.cancel(true));
            cancelled.countDown();
            assertThrows(CancellationException.class, drawing::get);
            sd.generate(REQUEST); // waits for the model
            assertEquals(1, steps.get());
        }
    }

    @Test
    void aFailureArrivesAndAClosedModelSaysSo() throws Exception {
        StableDiffusion sd = StableDiffusion.embedded();
        CompletableFuture<List<Picture>> drawing = sd.generateAsync(REQUEST, new Progress() {
            @Override
            public void step(Step step) {
                throw new IllegalStateException("a listener fails");
            }
        });
        ExecutionException e = assertThrows(ExecutionException.class, () -> drawing.get(1, TimeUnit.MINUTES));
        assertEquals("a listener fails", e.getCause().getMessage());
        sd.close();
        CompletableFuture<List<Picture>> late = sd.generateAsync(REQUEST, Progress.NONE);
        assertInstanceOf(
                IllegalStateException.class,
                assertThrows(ExecutionException.class, () -> late.get(1, TimeUnit.MINUTES))
                        .getCause());
        assertEquals(
                "this model is closed",
                assertThrows(IllegalStateException.class, () -> sd.generate(REQUEST))
                        .getMessage());
        sd.close();
    }

    /** Nothing is shared, so nothing of one model is seen in another. */
    @Test
    void severalModelsDrawAtOnce() throws Exception {
        byte[] expected;
        try (StableDiffusion sd = StableDiffusion.embedded()) {
            expected = sd.generate(REQUEST).rgb();
        }
        List<StableDiffusion> models = new ArrayList<>();
        List<CompletableFuture<List<Picture>>> drawings = new ArrayList<>();
        for (int threads = 1; threads <= 4; threads++) {
            StableDiffusion sd = StableDiffusion.load(Checkpoint.embedded(), new JvmBackend(threads));
            models.add(sd);
            for (int seed = 42; seed < 44; seed++) drawings.add(sd.generateAsync(REQUEST.seed(seed), Progress.NONE));
        }
        for (int i = 0; i < drawings.size(); i += 2)
            assertArrayEquals(
                    expected,
                    drawings.get(i).get(1, TimeUnit.MINUTES).getFirst().rgb());
        models.getFirst().close();
        assertArrayEquals(expected, models.getLast().generate(REQUEST).rgb());
        for (StableDiffusion model : models) model.close();
    }
}
