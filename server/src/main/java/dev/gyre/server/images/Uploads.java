package dev.gyre.server.images;

import dev.gyre.diffusion.image.Image;
import dev.gyre.server.http.ApiError;
import java.io.IOException;
import java.util.concurrent.Semaphore;

/** Decodes uploaded images, few at a time. */
public final class Uploads {
    private final long pixels;
    private final Semaphore unpacking = new Semaphore(2, true);

    /** @param pixels of a picture, at most */
    public Uploads(long pixels) {
        this.pixels = pixels;
    }

    /** @param field the field's name, for errors */
    public Image read(byte[] file, String field) throws InterruptedException {
        unpacking.acquire();
        try {
            return Image.read(file, field, pixels);
        } catch (IOException e) {
            throw ApiError.invalid(field, e.getMessage());
        } finally {
            unpacking.release();
        }
    }
}
