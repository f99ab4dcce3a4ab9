package dev.gyre.diffusion;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageOutputStream;

/** PNG with the text {@code parameters} that other tools read: {@code tEXt}, or {@code iTXt} where Latin-1 does not do. */
final class Png {
    private static final String KEYWORD = "parameters";

    private Png() {}

    static byte[] encode(Picture picture) throws IOException {
        BufferedImage image = new BufferedImage(picture.width(), picture.height(), BufferedImage.TYPE_INT_RGB);
        byte[] rgb = picture.rgb();
        for (int i = 0; i < picture.width() * picture.height(); i++)
            image.setRGB(
                    i % picture.width(),
                    i / picture.width(),
                    (rgb[3 * i] & 0xFF) << 16 | (rgb[3 * i + 1] & 0xFF) << 8 | rgb[3 * i + 2] & 0xFF);
        ImageWriter writer = ImageIO.getImageWritersByFormatName("png").next();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ImageOutputStream stream = ImageIO.createImageOutputStream(out)) {
            IIOMetadata metadata =
                    writer.getDefaultImageMetadata(ImageTypeSpecifier.createFromRenderedImage(image), null);
            metadata.mergeTree(
                    "javax_imageio_png_1.0", text(picture.parameters().text()));
            writer.setOutput(stream);
            writer.write(new IIOImage(image, List.of(), metadata));
        } finally {
            writer.dispose();
        }
        return out.toByteArray();
    }

    private static IIOMetadataNode text(String text) {
        boolean latin = StandardCharsets.ISO_8859_1.newEncoder().canEncode(text);
        IIOMetadataNode entry = new IIOMetadataNode(latin ? "tEXtEntry" : "iTXtEntry");
        entry.setAttribute("keyword", KEYWORD);
        if (latin) {
            entry.setAttribute("value", text);
        } else {
            entry.setAttribute("compressionFlag", "FALSE");
            entry.setAttribute("compressionMethod", "0");
            entry.setAttribute("languageTag", "");
            entry.setAttribute("translatedKeyword", "");
            entry.setAttribute("text", text);
        }
        IIOMetadataNode list = new IIOMetadataNode(latin ? "tEXt" : "iTXt");
        list.appendChild(entry);
        IIOMetadataNode root = new IIOMetadataNode("javax_imageio_png_1.0");
        root.appendChild(list);
        return root;
    }
}
