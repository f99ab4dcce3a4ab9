package dev.gyre.jsafetensors;

import java.io.IOException;

/** What is wrong with a file, in one sentence that names it. */
public final class SafeTensorsException extends IOException {
    private static final long serialVersionUID = 1L;
    private static final int LONGEST_NAME = 120;

    SafeTensorsException(String origin, String problem) {
        super(origin + ": " + problem);
    }

    /** A name out of a file, fit for a message: a hostile one may be megabytes long or steer a terminal. */
    static String quote(String name) {
        StringBuilder text = new StringBuilder("\"");
        for (int i = 0; i < Math.min(name.length(), LONGEST_NAME); i++) {
            char c = name.charAt(i);
            text.append(Character.isISOControl(c) ? '?' : c);
        }
        return text.append(name.length() > LONGEST_NAME ? "...\"" : "\"").toString();
    }
}
