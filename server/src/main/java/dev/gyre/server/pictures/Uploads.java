package dev.gyre.server.pictures;

import dev.gyre.diffusion.Image;
import dev.gyre.server.http.ApiError;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Iterator;
import java.util.concurrent.Semaphore;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/** Pictures that are sent. Their size is looked at before they are unpacked, and few are unpacked at a time. */
public final class Uploads {
    private final long pixels;
    private final Semaphore unpacking = new Semaphore(2, true);

    /** @param pixels of a picture, at most */
    public Uploads(long pixels) {
        this.pixels = pixels;
    }

    /** @param field what errors call it */
    public Image read(byte[] file, String field) throws InterruptedException {
        check(file, field);
        unpacking.acquire();
        try {
            return Image.read(file, field);
        } catch (IOException e) {
            throw ApiError.invalid(field, e.getMessage());
        } finally {
            unpacking.release();
        }
    }

    private void check(byte[] file, String field) {
        try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(file))) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
            if (!readers.hasNext())
                throw ApiError.invalid(field, field + ": not an image that can be read: send a PNG, JPEG or WebP.");
            ImageReader reader = readers.next();
            try {
                reader.setInput(in, true);
                long width = reader.getWidth(0), height = reader.getHeight(0);
                if (width * height > pixels)
                    throw ApiError.invalid(
                            field,
                            field + ": an image of at most " + pixels + " pixels, got " + width + "x" + height + ".");
            } finally {
                reader.dispose();
            }
        } catch (ApiError e) {
            throw e;
        } catch (IOException | RuntimeException | StackOverflowError e) {
            // Readers of damaged files throw what they come upon.
            throw ApiError.invalid(field, field + ": the image is damaged: " + e.getMessage());
        }
    }
}
