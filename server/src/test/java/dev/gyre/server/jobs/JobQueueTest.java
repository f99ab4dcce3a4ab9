package dev.gyre.server.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gyre.core.Precision;
import dev.gyre.diffusion.family.Defaults;
import dev.gyre.diffusion.image.Image;
import dev.gyre.diffusion.request.InitImage;
import dev.gyre.diffusion.request.Request;
import dev.gyre.diffusion.sampler.Sampler;
import dev.gyre.server.models.ModelFile;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Who is drawn after whom, and who with whom. */
class JobQueueTest {
    private static final Duration LONG = Duration.ofHours(1);
    private static final ModelFile SMALL = new ModelFile("small", Optional.empty(), defaults(128, 128), 0),
            LARGE = new ModelFile("large", Optional.empty(), defaults(512, Integer.MAX_VALUE), 0);

    private static Defaults defaults(int side, int largest) {
        return new Defaults(side, largest, OptionalInt.empty(), OptionalDouble.empty(), Optional.empty(), false);
    }

    private static JobSpec order(ModelFile model, Request request, JobSpec.Lora... loras) {
        return new JobSpec(model, Precision.F32, request, List.of(loras), 0, false);
    }

    private static JobSpec of(int width, int height) {
        return order(SMALL, Request.of("a cat").size(width, height));
    }

    private static Request over(int side) {
        return Request.of("a cat").size(side, side).with(InitImage.of(Image.of(8, 8, new byte[3 * 64])));
    }

    /** Each way round. */
    private static void together(boolean expected, JobSpec a, JobSpec b) {
        assertEquals(expected, a.goesWith(b), a + " and " + b);
        assertEquals(expected, b.goesWith(a), b + " and " + a);
    }

    @Test
    void whatTheSameNetworkDrawsAtTheSameSizeGoesTogether() {
        JobSpec plain = order(SMALL, Request.of("a cat"));
        together(true, plain, plain);
        Request other = Request.of("a dog")
                .negative("a cat")
                .steps(3)
                .guidance(2)
                .sampler(Sampler.named("euler_a"))
                .seed(9);
        together(true, plain, order(SMALL, other.batch(2).with(other.text().clipSkip(2))));
        together(true, plain, of(128, 128));
        together(true, plain, of(512, 512)); // drawn small and enlarged
        together(true, plain, order(SMALL, over(128)));
        together(true, of(512, 256), of(128, 64));

        together(false, plain, order(LARGE, Request.of("a cat").size(128, 128)));
        together(false, plain, new JobSpec(SMALL, Precision.BF16, Request.of("a cat"), List.of(), 0, false));
        together(false, plain, order(SMALL, Request.of("a cat"), new JobSpec.Lora("style", 1)));
        together(
                false,
                order(SMALL, Request.of("a cat"), new JobSpec.Lora("style", 1)),
                order(SMALL, Request.of("a cat"), new JobSpec.Lora("style", 0.5)));
        together(false, plain, of(64, 64));
        together(false, of(128, 64), of(64, 128));
        together(false, of(512, 512), order(SMALL, over(512))); // what is drawn over a picture is drawn at its size
    }

    @Test
    void largePicturesAreDrawnAlone() {
        JobSpec large = order(LARGE, Request.of("a cat"));
        together(false, large, large);
        together(false, order(SMALL, over(512)), order(SMALL, over(512)));
        JobSpec small = order(LARGE, Request.of("a cat").size(128, 128));
        together(true, small, small);
    }

    @Test
    void asManyPicturesAsMayBeDrawnAtOnce() throws InterruptedException {
        JobQueue queue = new JobQueue(10, LONG);
        Request request = Request.of("a cat");
        List<Job> jobs = new ArrayList<>();
        for (int n : List.of(1, 2, 1, 1, 9, 1)) jobs.add(queue.submit(order(SMALL, request.batch(n))));
        assertEquals(jobs.subList(0, 3), queue.take(4));
        assertEquals(3, queue.running());
        assertEquals(jobs.subList(3, 4), queue.take(4)); // the next would be too many
        assertEquals(jobs.subList(4, 5), queue.take(4)); // too many alone is drawn alone
        assertEquals(jobs.subList(5, 6), queue.take(4));
    }

    @Test
    void nobodyIsOvertaken() throws InterruptedException {
        JobQueue queue = new JobQueue(1000, LONG);
        Random random = new Random(1);
        List<Job> came = new ArrayList<>(), drawn = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            int side = 64 << random.nextInt(3);
            came.add(queue.submit(order(SMALL, over(side).batch(1 + random.nextInt(3)))));
            if (random.nextInt(4) == 0) drawn.addAll(queue.take(4));
        }
        while (queue.waiting() > 0) drawn.addAll(queue.take(4));
        assertEquals(came, drawn);
    }

    @Test
    void whoIsNotWaitedForLeavesTheQueue() throws InterruptedException {
        JobQueue queue = new JobQueue(2, LONG);
        JobSpec order = order(SMALL, Request.of("a cat"));
        Job first = queue.submit(order), second = queue.submit(order);
        assertThrows(JobQueue.Full.class, () -> queue.submit(order));
        first.cancel();
        Job third = queue.submit(order);
        assertEquals(List.of(second, third), queue.take(4));
    }

    @Test
    void closedItTakesNoMore() throws InterruptedException {
        JobQueue queue = new JobQueue(2, LONG);
        JobSpec order = order(SMALL, Request.of("a cat"));
        Job waiting = queue.submit(order);
        queue.close(Duration.ZERO);
        assertThrows(JobQueue.Closed.class, () -> queue.submit(order));
        assertEquals(List.of(), queue.take(4));
        assertEquals(new Event.Waiting(0), waiting.next(Duration.ZERO).orElseThrow());
        assertEquals(
                JobQueue.Closed.class,
                ((Event.Failed) waiting.next(Duration.ZERO).orElseThrow())
                        .cause()
                        .getClass());
    }
}
