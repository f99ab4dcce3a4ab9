package dev.gyre.experiments;

import java.util.ArrayList;
import java.util.List;

/**
 * The layout of a sweep's pictures: the fastest-changing setting goes across, everything else down.
 *
 * @param across the setting that goes across; empty where every picture has another prompt
 * @param lines from top to bottom
 */
record Sheet(String across, List<Line> lines) {
    static final int MOST_TILES = 400, MOST_ACROSS = 12, ACROSS_PROMPTS = 8;

    /**
     * A row of pictures.
     *
     * @param prompt of the pictures, if the line before has another
     * @param caption of all pictures
     */
    record Line(String prompt, String caption, List<Tile> tiles) {}

    /** @param png null where there is no picture */
    record Tile(Rows.Row row, byte[] png, String caption) {}

    static Sheet of(Rows rows) {
        String across = rows.fastest();
        List<String> down = new ArrayList<>(rows.varying());
        down.remove(across);
        List<Line> lines = new ArrayList<>();
        String before = null;
        for (int i = 0; i < rows.pictures().size(); i++) {
            Rows.Row row = rows.rows().get(i);
            String caption = Rows.caption(row, down), prompt = row.get("prompt");
            String key = across.isEmpty() ? "" : prompt + "\n" + caption;
            boolean next = !key.equals(before);
            if (next || lines.getLast().tiles().size() == (across.isEmpty() ? ACROSS_PROMPTS : MOST_ACROSS)) {
                boolean same = across.isEmpty() || before != null && before.startsWith(prompt + "\n");
                lines.add(new Line(same ? "" : prompt, across.isEmpty() ? "" : caption, new ArrayList<>()));
            }
            before = key;
            String under = across.isEmpty()
                    ? prompt + (caption.isEmpty() ? "" : " · " + caption)
                    : Rows.caption(row, List.of(across));
            lines.getLast().tiles().add(new Tile(row, rows.pictures().get(i), under));
        }
        return new Sheet(across, lines);
    }
}
