package dev.gyre.experiments;

import dev.gyre.diffusion.image.Image;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.function.Consumer;

/** A sheet as one image. On a system without fonts it has no text. */
final class ContactSheet {
    private static final int MARGIN = 24, GAP = 6, CAPTION = 18, PROMPT = 34, LABEL = 150, TILE = 128;
    private static final Color INK = new Color(0x222222), PALE = new Color(0x777777), NONE = new Color(0xF1E4E4);

    private final Sheet sheet;
    private final boolean worded;
    private final int label; // pixels for the lines' captions
    private final BufferedImage image;
    private final Graphics2D to;

    private ContactSheet(Sheet sheet) {
        this.sheet = sheet;
        boolean captioned =
                sheet.lines().stream().anyMatch(line -> !line.caption().isEmpty());
        label = captioned ? LABEL : 0;
        int across = sheet.lines().stream()
                .mapToInt(line -> line.tiles().size())
                .max()
                .orElse(1);
        int height = 2 * MARGIN;
        for (Sheet.Line line : sheet.lines()) height += height(line);
        image = new BufferedImage(2 * MARGIN + label + across * (TILE + GAP), height, BufferedImage.TYPE_INT_RGB);
        to = image.createGraphics();
        worded = hasFonts(to);
        to.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        to.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    }

    /** Without fonts, Java throws one of several exceptions. */
    private static boolean hasFonts(Graphics2D to) {
        try {
            return to.getFontMetrics(new Font(Font.SANS_SERIF, Font.PLAIN, 12)).stringWidth("x") > 0;
        } catch (RuntimeException | InternalError | LinkageError e) {
            return false;
        }
    }

    private static int height(Sheet.Line line) {
        return (line.prompt().isEmpty() ? 0 : PROMPT) + TILE + CAPTION + GAP;
    }

    /**
     * Draws a sheet.
     *
     * @param notes told in a sentence of what is missing
     * @throws IOException when a picture cannot be read
     */
    static BufferedImage draw(Sheet sheet, Consumer<String> notes) throws IOException {
        ContactSheet drawn = new ContactSheet(sheet);
        try {
            if (!drawn.worded) notes.accept("Java finds no fonts on this system: the contact sheet has no words");
            drawn.draw();
        } finally {
            drawn.to.dispose();
        }
        return drawn.image;
    }

    private void draw() throws IOException {
        to.setColor(Color.WHITE);
        to.fillRect(0, 0, image.getWidth(), image.getHeight());
        int y = MARGIN;
        for (Sheet.Line line : sheet.lines()) {
            if (!line.prompt().isEmpty()) {
                text(line.prompt(), MARGIN, y + PROMPT - 14, image.getWidth() - 2 * MARGIN, INK, Font.BOLD, 15);
                y += PROMPT;
            }
            int row = y + 14;
            for (String part : line.caption().split(" · ")) {
                text(part, MARGIN, row, label - GAP, INK, Font.PLAIN, 12);
                row += 16;
            }
            for (int i = 0; i < line.tiles().size(); i++)
                tile(line.tiles().get(i), MARGIN + label + i * (TILE + GAP), y);
            y += height(line) - (line.prompt().isEmpty() ? 0 : PROMPT);
        }
    }

    private void tile(Sheet.Tile tile, int x, int y) throws IOException {
        if (tile.png() == null) {
            to.setColor(NONE);
            to.fillRect(x, y, TILE, TILE);
            to.setColor(PALE);
            to.setStroke(new BasicStroke(1));
            to.drawLine(x, y, x + TILE, y + TILE);
            to.drawLine(x, y + TILE, x + TILE, y);
        } else {
            BufferedImage small =
                    Thumbnail.of(Image.read(tile.png(), "row " + tile.row().row()), TILE);
            to.drawImage(small, x + (TILE - small.getWidth()) / 2, y + (TILE - small.getHeight()) / 2, null);
        }
        text(tile.caption(), x, y + TILE + 13, TILE, PALE, Font.PLAIN, 11);
    }

    /** As much as there is room for. */
    private void text(String text, int x, int y, int width, Color color, int style, int size) {
        if (!worded) return;
        to.setFont(new Font(Font.SANS_SERIF, style, size));
        to.setColor(color);
        String shown = text;
        for (int n = text.length(); to.getFontMetrics().stringWidth(shown) > width && n > 0; n--)
            shown = text.substring(0, n) + "…";
        to.drawString(shown, x, y);
    }
}
