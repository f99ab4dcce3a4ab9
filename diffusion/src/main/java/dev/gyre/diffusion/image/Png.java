package dev.gyre.diffusion.image;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.ImageOutputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** PNG files with a {@code parameters} text, which other tools read: {@code tEXt}, or {@code iTXt} where Latin-1 does not suffice. */
public final class Png {
    private static final String KEYWORD = "parameters", FORMAT = "javax_imageio_png_1.0";

    private Png() {}

    /** @param text the {@code parameters} */
    public static byte[] encode(int width, int height, byte[] rgb, Optional<String> text) throws IOException {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < width * height; i++)
            image.setRGB(
                    i % width,
                    i / width,
                    (rgb[3 * i] & 0xFF) << 16 | (rgb[3 * i + 1] & 0xFF) << 8 | rgb[3 * i + 2] & 0xFF);
        ImageWriter writer = ImageIO.getImageWritersByFormatName("png").next();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ImageOutputStream stream = new MemoryCacheImageOutputStream(out)) {
            IIOMetadata metadata =
                    writer.getDefaultImageMetadata(ImageTypeSpecifier.createFromRenderedImage(image), null);
            if (text.isPresent()) metadata.mergeTree(FORMAT, entry(text.get()));
            writer.setOutput(stream);
            writer.write(new IIOImage(image, List.of(), metadata));
        } finally {
            writer.dispose();
        }
        return out.toByteArray();
    }

    private static IIOMetadataNode entry(String text) {
        // Half of a surrogate pair becomes U+FFFD, as it does for the tokenizer.
        String whole = new String(text.getBytes(StandardCharsets.UTF_16LE), StandardCharsets.UTF_16LE);
        boolean latin = StandardCharsets.ISO_8859_1.newEncoder().canEncode(whole);
        IIOMetadataNode entry = new IIOMetadataNode(latin ? "tEXtEntry" : "iTXtEntry");
        entry.setAttribute("keyword", KEYWORD);
        if (latin) {
            entry.setAttribute("value", whole);
        } else {
            entry.setAttribute("compressionFlag", "FALSE");
            entry.setAttribute("compressionMethod", "0");
            entry.setAttribute("languageTag", "");
            entry.setAttribute("translatedKeyword", "");
            entry.setAttribute("text", whole);
        }
        IIOMetadataNode list = new IIOMetadataNode(latin ? "tEXt" : "iTXt");
        list.appendChild(entry);
        IIOMetadataNode root = new IIOMetadataNode(FORMAT);
        root.appendChild(list);
        return root;
    }

    /**
     * The text {@code parameters} of a PNG.
     *
     * @return empty when it has none
     * @throws IOException when it is no PNG, or a broken one
     */
    public static Optional<String> text(byte[] png) throws IOException {
        ImageReader reader = ImageIO.getImageReadersByFormatName("png").next();
        try (ImageInputStream stream = new MemoryCacheImageInputStream(new ByteArrayInputStream(png))) {
            reader.setInput(stream);
            Element root = (Element) reader.getImageMetadata(0).getAsTree(FORMAT);
            for (String[] kind :
                    new String[][] {{"tEXtEntry", "value"}, {"zTXtEntry", "text"}, {"iTXtEntry", "text"}}) {
                NodeList entries = root.getElementsByTagName(kind[0]);
                for (int i = 0; i < entries.getLength(); i++) {
                    Element entry = (Element) entries.item(i);
                    if (entry.getAttribute("keyword").equals(KEYWORD)) return Optional.of(entry.getAttribute(kind[1]));
                }
            }
            return Optional.empty();
        } catch (IOException | RuntimeException e) {
            throw new IOException("not a PNG, or a broken one", e); // The reader fails on some files.
        } finally {
            reader.dispose();
        }
    }
}
