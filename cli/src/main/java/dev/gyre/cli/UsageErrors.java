package dev.gyre.cli;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Messages for invalid arguments: one sentence, not the whole help. */
final class UsageErrors {
    private UsageErrors() {}

    static String sentence(ParameterException e) {
        if (!(e instanceof UnmatchedArgumentException unmatched)) return e.getMessage();
        String first = unmatched.getUnmatched().getFirst();
        if (!unmatched.isUnknownOption())
            return "one argument was expected, got another: " + first + " (a prompt of several words goes in quotes)";
        List<String> near = unmatched.getSuggestions();
        return "there is no option " + first
                + (near.isEmpty() ? "" : "; did you mean " + String.join(" or ", near) + "?");
    }

    /** Converters whose messages say what kind of number is expected. */
    static void numbers(CommandLine line) {
        line.registerConverter(int.class, text -> whole(text, Integer.MIN_VALUE, Integer.MAX_VALUE)
                .intValue());
        line.registerConverter(Integer.class, text -> whole(text, Integer.MIN_VALUE, Integer.MAX_VALUE)
                .intValue());
        line.registerConverter(
                long.class, text -> whole(text, Long.MIN_VALUE, Long.MAX_VALUE).longValue());
        line.registerConverter(
                Long.class, text -> whole(text, Long.MIN_VALUE, Long.MAX_VALUE).longValue());
        line.registerConverter(double.class, UsageErrors::number);
        line.registerConverter(Double.class, UsageErrors::number);
    }

    private static BigInteger whole(String text, long least, long most) {
        BigInteger value;
        try {
            value = new BigInteger(text);
        } catch (NumberFormatException e) {
            throw new TypeConversionException("a whole number is expected, got " + text);
        }
        if (value.compareTo(BigInteger.valueOf(least)) < 0 || value.compareTo(BigInteger.valueOf(most)) > 0)
            throw new TypeConversionException(
                    "a whole number from " + least + " to " + most + " is expected, got " + text);
        return value;
    }

    private static double number(String text) {
        try {
            return new BigDecimal(text).doubleValue();
        } catch (NumberFormatException e) {
            throw new TypeConversionException("a number is expected, got " + text);
        }
    }
}
