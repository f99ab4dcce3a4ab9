package dev.gyre.diffusion.pipeline;

import dev.gyre.diffusion.output.CancellableProgress;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.output.Progress;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** Generation in a thread of its own. */
public final class Background {
    private Background() {}

    /** @param generate gets a listener that ends it once the future is cancelled */
    public static CompletableFuture<List<Picture>> run(Function<Progress, List<Picture>> generate, Progress progress) {
        CompletableFuture<List<Picture>> pictures = new CompletableFuture<>();
        Progress cancellable = new CancellableProgress(progress, pictures::isDone);
        Thread.ofPlatform().daemon().name("gyre-generation").start(() -> {
            try {
                pictures.complete(generate.apply(cancellable));
            } catch (Throwable e) {
                pictures.completeExceptionally(e);
            }
        });
        return pictures;
    }
}
