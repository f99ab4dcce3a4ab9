package dev.gyre.diffusion.image;

import com.twelvemonkeys.imageio.metadata.Directory;
import com.twelvemonkeys.imageio.metadata.Entry;
import com.twelvemonkeys.imageio.metadata.jpeg.JPEGSegment;
import com.twelvemonkeys.imageio.metadata.jpeg.JPEGSegmentUtil;
import com.twelvemonkeys.imageio.metadata.tiff.TIFF;
import com.twelvemonkeys.imageio.metadata.tiff.TIFFReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/** The EXIF orientation of a JPEG; in the order of the entry's values, from 1. */
enum ExifOrientation {
    UPRIGHT(false, false, false),
    MIRRORED(false, true, false),
    UPSIDE_DOWN(false, true, true),
    UPSIDE_DOWN_MIRRORED(false, false, true),
    LEFT_MIRRORED(true, false, false),
    LEFT(true, false, true),
    RIGHT_MIRRORED(true, true, true),
    RIGHT(true, true, false);

    private final boolean swaps;
    private final boolean fromRight;
    private final boolean fromBottom;

    ExifOrientation(boolean swaps, boolean fromRight, boolean fromBottom) {
        this.swaps = swaps;
        this.fromRight = fromRight;
        this.fromBottom = fromBottom;
    }

    /** Whether width and height are swapped. */
    boolean swaps() {
        return swaps;
    }

    /** The stored pixel that is displayed at (x, y); the stored picture is width × height. */
    int source(int x, int y, int width, int height) {
        int column = swaps ? y : x, row = swaps ? x : y;
        return (fromBottom ? height - 1 - row : row) * width + (fromRight ? width - 1 - column : column);
    }

    /** The file's orientation; upright where it has none that is valid. */
    static ExifOrientation of(byte[] file) {
        if (file.length < 2 || (file[0] & 0xFF) != 0xFF || (file[1] & 0xFF) != 0xD8) return UPRIGHT;
        try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(file))) {
            List<JPEGSegment> segments = JPEGSegmentUtil.readSegments(in, 0xFFE1, "Exif");
            if (segments.isEmpty()) return UPRIGHT;
            byte[] exif = segments.get(0).data().readAllBytes();
            // A byte of padding, then TIFF.
            try (ImageInputStream tiff =
                    new MemoryCacheImageInputStream(new ByteArrayInputStream(exif, 1, Math.max(0, exif.length - 1)))) {
                Directory entries = new TIFFReader().read(tiff);
                Entry entry = entries.getEntryById(TIFF.TAG_ORIENTATION);
                if (entry != null && entry.getValue() instanceof Number n && n.intValue() >= 1 && n.intValue() <= 8)
                    return values()[n.intValue() - 1];
            }
        } catch (IOException | RuntimeException e) {
            // The picture may be intact where its EXIF data is damaged.
        }
        return UPRIGHT;
    }
}
