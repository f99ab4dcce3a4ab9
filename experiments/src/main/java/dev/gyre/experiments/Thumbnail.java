package dev.gyre.experiments;

import dev.gyre.diffusion.image.Image;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Base64;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;

/** Thumbnails. */
final class Thumbnail {
    private static final float QUALITY = 0.88f;

    private Thumbnail() {}

    /** Within a square; never enlarged. */
    static BufferedImage of(Image image, int side) {
        int longer = Math.max(image.width(), image.height());
        int width = longer <= side ? image.width() : Math.max(1, image.width() * side / longer);
        int height = longer <= side ? image.height() : Math.max(1, image.height() * side / longer);
        Image small = image.resize(width, height);
        BufferedImage to = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        byte[] rgb = small.rgb();
        for (int i = 0; i < width * height; i++)
            to.setRGB(
                    i % width,
                    i / width,
                    (rgb[3 * i] & 0xFF) << 16 | (rgb[3 * i + 1] & 0xFF) << 8 | rgb[3 * i + 2] & 0xFF);
        return to;
    }

    /** A JPEG as a page carries it. */
    static String dataUri(BufferedImage image) throws IOException {
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ImageOutputStream stream = ImageIO.createImageOutputStream(out)) {
            ImageWriteParam param = writer.getDefaultWriteParam();
            param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
            param.setCompressionQuality(QUALITY);
            writer.setOutput(stream);
            writer.write(null, new IIOImage(image, null, null), param);
        } finally {
            writer.dispose();
        }
        return "data:image/jpeg;base64," + Base64.getEncoder().encodeToString(out.toByteArray());
    }
}
