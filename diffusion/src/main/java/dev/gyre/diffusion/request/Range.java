package dev.gyre.diffusion.request;

/**
 * The values that a number may take.
 *
 * @param isOpen whether {@code min} itself is excluded
 */
public record Range(double min, double max, boolean isOpen) {
    /** From {@code min} to {@code max}, both included. */
    public static Range of(double min, double max) {
        return new Range(min, max, false);
    }

    /** Above {@code min}, up to and including {@code max}. */
    public static Range above(double min, double max) {
        return new Range(min, max, true);
    }

    /** Whether a value lies in it; NaN lies in none. */
    public boolean has(double value) {
        return (isOpen ? value > min : value >= min) && value <= max;
    }

    /**
     * Checks a value.
     *
     * @param name what the value is of, for the message
     * @throws IllegalArgumentException when the value lies outside: {@code steps: 1 to 1000, got 0}
     */
    public void check(String name, Number value) {
        if (!has(value.doubleValue())) throw new IllegalArgumentException(name + ": " + this + ", got " + value);
    }

    /** As in {@code 1 to 1000}, {@code above 1 to 8}, and {@code at least 1} where any larger int will do. */
    @Override
    public String toString() {
        if (max == Integer.MAX_VALUE && !isOpen) return "at least " + number(min);
        return (isOpen ? "above " : "") + number(min) + " to " + number(max);
    }

    private static String number(double value) {
        return value == Math.rint(value) ? String.valueOf((long) value) : String.valueOf(value);
    }
}
