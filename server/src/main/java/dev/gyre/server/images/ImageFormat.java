package dev.gyre.server.images;

import dev.gyre.diffusion.output.Picture;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** File formats of responses. Only a PNG carries its parameters. */
public enum ImageFormat {
    PNG("image/png", "png"),
    JPEG("image/jpeg", "jpg"),
    WEBP("image/webp", "webp");

    private final String type;
    private final String ending;

    ImageFormat(String type, String ending) {
        this.type = type;
        this.ending = ending;
    }

    public static List<String> names() {
        return Arrays.stream(values()).map(ImageFormat::toString).toList();
    }

    /** Its media type. */
    public String type() {
        return type;
    }

    public String ending() {
        return ending;
    }

    /**
     * A file of the picture.
     *
     * @param quality 0 to 100, for lossy formats
     */
    public byte[] encode(Picture picture, int quality) throws IOException {
        return this == PNG ? picture.png() : lossy(picture, quality / 100f);
    }

    private byte[] lossy(Picture picture, float quality) throws IOException {
        int width = picture.width(), height = picture.height();
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_3BYTE_BGR);
        image.getRaster().setDataElements(0, 0, width, height, picture.rgb());
        ImageWriter writer = ImageIO.getImageWritersByMIMEType(type).next();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ImageOutputStream stream = new MemoryCacheImageOutputStream(out)) {
            ImageWriteParam how = writer.getDefaultWriteParam();
            how.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
            if (this == WEBP) how.setCompressionType("Lossy");
            how.setCompressionQuality(quality);
            writer.setOutput(stream);
            writer.write(null, new IIOImage(image, List.of(), null), how);
        } finally {
            writer.dispose();
        }
        return out.toByteArray();
    }

    /** As requests spell it. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
