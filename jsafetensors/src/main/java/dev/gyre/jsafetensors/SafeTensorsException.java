package dev.gyre.jsafetensors;

import java.io.IOException;

/** What is wrong with a file, in one sentence that names it. */
public final class SafeTensorsException extends IOException {
    private static final long serialVersionUID = 1L;

    SafeTensorsException(String origin, String problem) {
        super(origin + ": " + problem);
    }
}
