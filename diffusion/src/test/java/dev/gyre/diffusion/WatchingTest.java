package dev.gyre.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gyre.diffusion.family.LatentPreviewTest;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.output.Preview;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Sampler;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A drawing as its listener sees it, and how it is ended. */
class WatchingTest {
    private static final Request REQUEST =
            Request.of("a red circle on a blue background").steps(6).seed(42);
    private static StableDiffusion sd;

    @BeforeAll
    static void load() {
        sd = StableDiffusion.embedded();
    }

    @AfterAll
    static void close() {
        sd.close();
    }

    @Test
    void stepsSaySigmaAndTheTimeLeft() {
        List<Progress.Step> steps = new ArrayList<>();
        sd.generate(REQUEST.sampler(Sampler.named("euler karras")).batch(2), new Progress() {
            @Override
            public void step(Step step) {
                steps.add(step);
            }
        });
        assertEquals(12, steps.size());
        for (int i = 0; i < 12; i++) {
            Progress.Step step = steps.get(i); // The two are drawn together.
            assertEquals(
                    List.of(i % 2 + 1, 2, i / 2 + 1, 6),
                    List.of(step.picture(), step.pictures(), step.step(), step.steps()));
            if (i > 1) assertTrue(step.sigma() < steps.get(i - 2).sigma());
            assertEquals(step.step() == 6, step.left().isZero(), step.toString());
        }
        assertEquals(0, steps.get(11).sigma());
    }

    /** The quick look is a pixel a latent: it is held against the decoded one's means. */
    @Test
    void bothLooksShowWhatIsThere() {
        List<Preview> quick = new ArrayList<>(), decoded = new ArrayList<>();
        double[] error = {0};
        Picture picture = sd.generate(REQUEST, new Progress() {
                    @Override
                    public void step(Step step) {
                        quick.add(step.previews().approximate());
                        if (step.step() == 6) error[0] = LatentPreviewTest.difference(step.previews());
                        if (step.step() % 3 == 0) decoded.add(step.previews().decoded());
                    }
                })
                .get(0);
        assertEquals(6, quick.size());
        Preview last = quick.get(5), shown = decoded.get(1);
        assertEquals(List.of(16, 16, 128, 128), List.of(last.width(), last.height(), shown.width(), shown.height()));
        // No matrix does much better for this VAE.
        assertTrue(error[0] < 45, "the quick look is off by " + error[0]);
        assertTrue(mean(last, 7, 9, 0) > mean(last, 7, 9, 2), "the middle is red");
        assertTrue(mean(last, 0, 4, 2) > mean(last, 0, 4, 0), "the corner is blue");
        // Watching changes nothing.
        assertArrayEquals(sd.generate(REQUEST).rgb(), picture.rgb());
    }

    /** A colour in the square from there to there, as much from the left as from the top. */
    private static double mean(Preview preview, int from, int to, int c) {
        double sum = 0;
        for (int y = from; y < to; y++)
            for (int x = from; x < to; x++) sum += preview.rgb()[3 * (y * preview.width() + x) + c] & 0xFF;
        return sum / ((to - from) * (to - from));
    }

    @Test
    void aWordFromAnotherThreadEndsTheDrawingWithinAStep() throws InterruptedException {
        AtomicBoolean enough = new AtomicBoolean();
        CountDownLatch second = new CountDownLatch(1);
        List<Integer> steps = new ArrayList<>();
        Thread other = Thread.ofPlatform().start(() -> {
            try {
                second.await();
            } catch (InterruptedException e) {
                return;
            }
            enough.set(true);
        });
        assertThrows(
                CancellationException.class,
                () -> sd.generate(REQUEST.steps(500), new Progress() {
                    @Override
                    public void step(Step step) {
                        steps.add(step.step());
                        if (step.step() == 2) {
                            second.countDown();
                            join(other);
                        }
                    }

                    @Override
                    public boolean cancelled() {
                        return enough.get();
                    }
                }));
        assertEquals(List.of(1, 2), steps);
        assertEquals(128, sd.generate(REQUEST).width()); // The model is as it was.
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void anInterruptEndsItAsWell() {
        Progress interrupting = new Progress() {
            @Override
            public void step(Step step) {
                Thread.currentThread().interrupt();
            }
        };
        assertThrows(CancellationException.class, () -> sd.generate(REQUEST, interrupting));
    }

    /** Every picture's look is its own, and the same as alone. */
    @Test
    void picturesDrawnTogetherLookEachLikeItself() {
        List<byte[]> looks = new ArrayList<>();
        Progress last = new Progress() {
            @Override
            public void step(Step step) {
                if (step.step() == step.steps())
                    looks.add(step.previews().approximate().rgb());
            }
        };
        sd.generate(REQUEST.sampler(Sampler.named("euler a")).batch(3), last);
        for (int i = 0; i < 3; i++)
            sd.generate(REQUEST.sampler(Sampler.named("euler a")).seed(42 + i), last);
        for (int i = 0; i < 3; i++) assertArrayEquals(looks.get(3 + i), looks.get(i));
    }

    @Test
    void whereMemoryIsShortFewerAreDrawnTogetherAndTheSameComesOut() {
        Request request = REQUEST.steps(2).batch(5);
        List<Picture> together = sd.generate(request, Progress.NONE);
        for (long room : new long[] {3 << 20, 1 << 20, 1}) {
            List<String> notes = new ArrayList<>();
            List<Picture> apart;
            try (StableDiffusion small = StableDiffusion.embedded()) {
                small.memoryLimit(room);
                apart = small.generate(request, new Progress() {
                    @Override
                    public void note(String sentence) {
                        notes.add(sentence);
                    }
                });
            }
            for (int i = 0; i < 5; i++)
                assertArrayEquals(together.get(i).rgb(), apart.get(i).rgb());
            assertTrue(notes.toString().contains("4 pictures at once take "), notes.toString());
        }
    }

    @Test
    void picturesThatWereDoneAreHandedOver() {
        List<Picture> done = new ArrayList<>();
        assertThrows(
                CancellationException.class,
                () -> sd.generate(REQUEST.steps(1).batch(3), new Progress() {
                    @Override
                    public void picture(Picture picture) {
                        done.add(picture);
                    }

                    @Override
                    public boolean cancelled() {
                        return done.size() == 1;
                    }
                }));
        assertEquals(1, done.size());
    }
}
