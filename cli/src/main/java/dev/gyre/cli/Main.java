package dev.gyre.cli;

/**
 * Where the program starts. This class alone is compiled for Java 8, so that a Java too old for Gyre says so in a sentence instead of
 * failing to read a class. Everything else is {@code GyreCommand}, which is loaded only after the check.
 */
public final class Main {
    /** The oldest Java that runs Gyre: what all other classes are compiled for. */
    static final int OLDEST = 25;

    private Main() {}

    /** Runs the command line and exits with its status, or with 1 where Java is too old. */
    public static void main(String[] args) {
        // "1.8" up to Java 8, then "9", "10", …
        String major = System.getProperty("java.specification.version").split("\\.")[0];
        if (Integer.parseInt(major) < OLDEST) {
            System.err.println("gyre: needs Java " + OLDEST + " or newer; this is Java "
                    + System.getProperty("java.version") + " (" + System.getProperty("java.home") + ")");
            System.exit(1);
        }
        GyreCommand.run(args);
    }
}
