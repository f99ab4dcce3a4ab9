package dev.gyre.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class TableTest {
    private final Table table = new Table("op", "ms");

    TableTest() {
        table.add("conv, \"3x3\"", 12.345);
        table.add("add", null);
    }

    @Test
    void markdownAlignsNumbersToTheRight() {
        assertEquals(
                """
                | op          |   ms |
                |:------------|-----:|
                | conv, "3x3" | 12.3 |
                | add         |      |
                """,
                table.as("md"));
    }

    @Test
    void csvAndJsonAreExactAndQuoted() {
        assertEquals("op,ms\n\"conv, \"\"3x3\"\"\",12.345\nadd,\n", table.as("csv"));
        assertEquals(
                "[\n  {\"op\": \"conv, \\\"3x3\\\"\", \"ms\": 12.345},\n  {\"op\": \"add\", \"ms\": null}\n]\n",
                table.as("json"));
    }

    @Test
    void wrongCellsAndFormatsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> table.add("one"));
        assertThrows(IllegalArgumentException.class, () -> table.as("xml"));
    }
}
