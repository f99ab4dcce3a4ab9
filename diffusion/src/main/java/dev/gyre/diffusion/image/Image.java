package dev.gyre.diffusion.image;

import dev.gyre.diffusion.file.FileId;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Optional;
import java.util.function.IntUnaryOperator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * An image: pixels, with alpha where it has any.
 *
 * @param rgb [height, width, 3] bytes, sRGB
 * @param alpha [height, width] bytes, 255 opaque; empty where all is
 * @param origin the file that it was read from; empty once it has been changed
 */
public record Image(int width, int height, byte[] rgb, Optional<byte[]> alpha, Optional<FileId> origin) {
    /** More than any picture that can be generated. */
    private static final long MOST_PIXELS = 1L << 26;

    /** A file's bytes. Readers go on with zeros past its end; where the size is damaged, this limits how long. */
    private static final class Bytes extends MemoryCacheImageInputStream {
        private static final int PATIENCE = 1 << 16;

        private int beyond;

        Bytes(byte[] file) {
            super(new ByteArrayInputStream(file));
        }

        @Override
        public int read() throws IOException {
            int read = super.read();
            if (read < 0 && ++beyond > PATIENCE) throw new IOException("it ends too early");
            return read;
        }
    }

    /** @throws IllegalArgumentException when there are no pixels, or not 3 bytes of colour and one of alpha for each */
    public Image {
        if (width < 1 || height < 1 || rgb.length != 3 * width * height)
            throw new IllegalArgumentException("an image of " + width + "x" + height
                    + " pixels has 3 bytes a pixel, got " + rgb.length + " bytes");
        alpha.ifPresent(bytes -> {
            if (bytes.length != width * height)
                throw new IllegalArgumentException("an image of " + width + "x" + height
                        + " pixels has a byte of alpha a pixel, got " + bytes.length + " bytes");
        });
    }

    /** An opaque image that came from no file: [height, width, 3] bytes, not copied. */
    public static Image of(int width, int height, byte[] rgb) {
        return new Image(width, height, rgb, Optional.empty(), Optional.empty());
    }

    /**
     * Reads a PNG, JPEG, WebP, GIF (its first picture), BMP or TIFF file, turned as its EXIF entry says.
     *
     * @throws IOException when it cannot be read or is none of these
     */
    public static Image read(Path path) throws IOException {
        if (Files.notExists(path)) throw new NoSuchFileException(path.toString(), null, "there is no such file");
        if (Files.isDirectory(path)) throw new IOException(path + ": an image is expected, this is a folder");
        return read(Files.readAllBytes(path), path.toString()).from(FileId.of(path));
    }

    /**
     * Reads an image in memory, of at most 2^26 pixels.
     *
     * @param origin what errors call it
     * @throws IOException when it cannot be read or is larger
     */
    public static Image read(byte[] file, String origin) throws IOException {
        return read(file, origin, MOST_PIXELS);
    }

    /**
     * Reads an image in memory. Its size is checked before it is decoded.
     *
     * @param origin what errors call it
     * @param most the largest number of pixels
     * @throws IOException when it cannot be read or is larger
     */
    public static Image read(byte[] file, String origin, long most) throws IOException {
        try (ImageInputStream in = new Bytes(file)) {
            ImageReader reader = reader(in)
                    .orElseThrow(() -> new IOException(
                            origin + ": not an image that can be read: expected PNG, JPEG, WebP, GIF, BMP or TIFF"));
            try {
                reader.setInput(in, true);
                int width = reader.getWidth(0), height = reader.getHeight(0);
                if ((long) width * height > most)
                    throw new IOException(origin + ": an image of at most " + most + " pixels is expected, this has "
                            + width + "x" + height);
                return of(reader.read(0)).turned(ExifOrientation.of(file)).from(FileId.of(file, origin));
            } finally {
                reader.dispose();
            }
        } catch (RuntimeException | StackOverflowError e) {
            // Readers of damaged files throw unspecific exceptions.
            throw new IOException(origin + ": the image is damaged", e);
        } catch (OutOfMemoryError e) {
            throw new IOException(origin + ": the image is larger than memory, or damaged", e);
        } catch (IOException e) {
            String said = e.getMessage();
            if (said != null && said.startsWith(origin)) throw e;
            throw new IOException(origin + ": the image is damaged" + (said == null ? "" : ": " + said), e);
        }
    }

    /** The reader in Java where there are several: pixels do not depend on whether a native WebP library is present. */
    private static Optional<ImageReader> reader(ImageInputStream in) {
        Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
        while (readers.hasNext()) {
            ImageReader reader = readers.next();
            if (!reader.getClass().getName().startsWith("com.luciad.")) return Optional.of(reader);
        }
        return Optional.empty();
    }

    private static Image of(BufferedImage from) {
        int width = from.getWidth(), height = from.getHeight();
        byte[] rgb = new byte[3 * width * height];
        boolean clear = from.getColorModel().hasAlpha();
        byte[] alpha = clear ? new byte[width * height] : null;
        // Java takes gray for linear light and would brighten it.
        boolean gray = from.getColorModel().getColorSpace().getType() == ColorSpace.TYPE_GRAY
                && !(from.getColorModel() instanceof IndexColorModel);
        Raster raster = from.getRaster();
        int most = gray ? (1 << from.getColorModel().getComponentSize(0)) - 1 : 0;
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) {
                int i = y * width + x, argb = gray ? 0 : from.getRGB(x, y);
                for (int c = 0; c < 3; c++)
                    rgb[3 * i + c] =
                            (byte) (gray ? Math.round(raster.getSample(x, y, 0) * 255f / most) : argb >> (16 - 8 * c));
                if (clear)
                    alpha[i] = (byte)
                            (gray
                                    ? Math.round(raster.getSample(x, y, 1)
                                            * 255f
                                            / ((1 << from.getColorModel().getComponentSize(1)) - 1))
                                    : argb >>> 24);
            }
        return new Image(width, height, rgb, Optional.ofNullable(alpha), Optional.empty());
    }

    private Image from(FileId origin) {
        return new Image(width, height, rgb, alpha, Optional.of(origin));
    }

    /** A black image of the same size. */
    public Image blackened() {
        return of(width, height, new byte[rgb.length]);
    }

    private Image turned(ExifOrientation how) {
        if (how == ExifOrientation.UPRIGHT) return this;
        int w = how.swaps() ? height : width, h = how.swaps() ? width : height;
        return gather(w, h, i -> how.source(i % w, i / w, width, height));
    }

    /** Gathers every pixel from the index that {@code source} gives. */
    private Image gather(int w, int h, IntUnaryOperator source) {
        byte[] to = new byte[3 * w * h], clear = alpha.isPresent() ? new byte[w * h] : null;
        for (int i = 0; i < w * h; i++) {
            int from = source.applyAsInt(i);
            System.arraycopy(rgb, 3 * from, to, 3 * i, 3);
            if (clear != null) clear[i] = alpha.get()[from];
        }
        return new Image(w, h, to, Optional.ofNullable(clear), Optional.empty());
    }

    /** A crop with its corner at (left, top). */
    public Image crop(int left, int top, int w, int h) {
        return gather(w, h, i -> (top + i / w) * width + left + i % w);
    }

    /** Padded by repeating edge pixels. */
    public Image pad(int left, int top, int right, int bottom) {
        int w = left + width + right;
        return gather(
                w,
                top + height + bottom,
                i -> Math.clamp(i / w - top, 0, height - 1) * width + Math.clamp(i % w - left, 0, width - 1));
    }

    /** Resized by Lanczos' filter; without alpha. */
    public Image resize(int w, int h) {
        return resize(w, h, Resampling.LANCZOS);
    }

    /** Rounded to bytes between the two passes, as PIL does, so that overshoot does not spread. */
    public Image resize(int w, int h, Resampling how) {
        if (w == width && h == height) return this;
        Image wide = ofPlanes(how.resize(planes(), 3, height, width, height, w), w, height);
        return ofPlanes(how.resize(wide.planes(), 3, height, w, h, w), w, h);
    }

    /** [3, height, width], −1 black to 1 white: the range of the VAE. */
    public float[] planes() {
        float[] planes = new float[3 * width * height];
        for (int i = 0; i < width * height; i++)
            for (int c = 0; c < 3; c++) planes[c * width * height + i] = (rgb[3 * i + c] & 0xFF) / 127.5f - 1;
        return planes;
    }

    /** From [3, height, width], −1 black to 1 white, clamped; rounded half to even, as diffusers does. */
    public static Image ofPlanes(float[] planes, int width, int height) {
        byte[] rgb = new byte[3 * width * height];
        for (int c = 0; c < 3; c++)
            for (int i = 0; i < width * height; i++) {
                float v = planes[c * width * height + i] / 2 + 0.5f;
                rgb[3 * i + c] = (byte) (int) Math.rint(Math.clamp(v, 0f, 1f) * 255);
            }
        return of(width, height, rgb);
    }

    /** The luminance, 0 to 1, [height, width] (ITU-R 601, as in PIL). */
    public float[] luminance() {
        float[] light = new float[width * height];
        for (int i = 0; i < light.length; i++)
            light[i] =
                    (0.299f * (rgb[3 * i] & 0xFF) + 0.587f * (rgb[3 * i + 1] & 0xFF) + 0.114f * (rgb[3 * i + 2] & 0xFF))
                            / 255;
        return light;
    }
}
