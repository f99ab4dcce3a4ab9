package dev.gyre.jsafetensors;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;

/**
 * A strict pull parser over UTF-8 bytes (RFC 8259), as much of JSON as headers need. The reader asks for what must come
 * next, so nothing is built that was not asked for and nothing recurses:
 *
 * <pre>{@code
 * json.open('{');
 * while (json.next('}')) {
 *     String key = json.key();
 *     long value = json.integer();
 * }
 * json.finish();
 * }</pre>
 */
final class Json {
    /** One bit of a long for each level of a skipped value. */
    private static final int MAX_DEPTH = Long.SIZE;

    private static final int NONE = -1;

    private final MemorySegment bytes;
    private final String origin;
    private final long length;
    private String subject;
    private long position;
    private boolean fresh;

    /** Messages begin with {@code origin} and then say "the subject has …"; their byte positions start at 0. */
    Json(MemorySegment bytes, String origin, String subject) {
        this.bytes = bytes;
        this.origin = origin;
        this.length = bytes.byteSize();
        this.subject = subject;
    }

    /** What messages are about from here on. */
    void about(String newSubject) {
        subject = newSubject;
    }

    /** {@code text} as a JSON string, quotes included. */
    static String quote(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') out.append('\\').append(c);
            else if (c < 0x20) out.append(String.format("\\u%04x", (int) c));
            else out.append(c);
        }
        return out.append('"').toString();
    }

    SafeTensorsException fail(String problem) {
        return new SafeTensorsException(origin, "the " + subject + " " + problem);
    }

    private SafeTensorsException expected(String what) {
        return fail("is not the JSON it should be: " + what + " was expected at byte " + position + " and "
                + shown(peek()) + " came");
    }

    private static String shown(int b) {
        if (b == NONE) {
            return "its end";
        }
        return b > ' ' && b < 0x7f ? "'" + (char) b + "'" : String.format("the byte 0x%02x", b);
    }

    /** The next byte that is not white space, not consumed; {@link #NONE} at the end. */
    private int peek() {
        while (position < length) {
            int b = at(position);
            if (b != ' ' && b != '\t' && b != '\n' && b != '\r') {
                return b;
            }
            position++;
        }
        return NONE;
    }

    private int at(long index) {
        return bytes.get(JAVA_BYTE, index) & 0xff;
    }

    /** The byte at the position as it is, white space or not; {@link #NONE} at the end. */
    private int here() {
        return position < length ? at(position) : NONE;
    }

    private void expect(char c) throws SafeTensorsException {
        if (peek() != c) {
            throw expected("'" + c + "'");
        }
        position++;
    }

    /** Enters an object or an array: a brace or a square bracket, open. */
    void open(char bracket) throws SafeTensorsException {
        expect(bracket);
        fresh = true;
    }

    /** Whether another member follows; consumes the comma before it, or the closing bracket after the last. */
    boolean next(char bracket) throws SafeTensorsException {
        boolean first = fresh;
        fresh = false;
        int b = peek();
        if (b == bracket) {
            position++;
            return false;
        }
        if (!first) {
            if (b != ',') {
                throw expected("',' or '" + bracket + "'");
            }
            position++;
        }
        return true;
    }

    /** A member's key and the colon after it. */
    String key() throws SafeTensorsException {
        String key = string();
        expect(':');
        return key;
    }

    /** Consumes {@code null} if it comes next. */
    boolean tryNull() throws SafeTensorsException {
        if (peek() != 'n') {
            return false;
        }
        word("null");
        return true;
    }

    /** Nothing but white space may be left. */
    void finish() throws SafeTensorsException {
        if (peek() != NONE) {
            throw expected("its end");
        }
    }

    /** A whole number from −2⁶³ to 2⁶³−1, written plainly: no fraction, exponent, leading zero or negative zero. */
    long integer() throws SafeTensorsException {
        boolean negative = peek() == '-';
        if (negative) {
            position++;
        }
        long start = position;
        long value = 0; // kept at or below zero, where the range is one wider
        for (int b = here(); b >= '0' && b <= '9'; b = here()) {
            int digit = b - '0';
            if (value < (Long.MIN_VALUE + digit) / 10) {
                throw fail("has a number at byte " + start + " that does not fit in 64 bits");
            }
            value = value * 10 - digit;
            position++;
        }
        long digits = position - start;
        if (digits == 0) {
            throw expected("a whole number");
        }
        boolean plain = here() != '.' && here() != 'e' && here() != 'E';
        if (!plain || (at(start) == '0' && (digits > 1 || negative))) {
            throw fail("has a number at byte " + start + " that is not a plain whole number");
        }
        if (!negative && value == Long.MIN_VALUE) {
            throw fail("has a number at byte " + start + " that does not fit in 64 bits");
        }
        return negative ? value : -value;
    }

    /** A string, its escapes resolved. */
    String string() throws SafeTensorsException {
        expect('"');
        long start = position;
        StringBuilder text = new StringBuilder();
        while (true) {
            int b = here();
            if (b == NONE) {
                throw fail("has a string at byte " + start + " that does not end");
            }
            position++;
            if (b == '"') {
                return text.toString();
            } else if (b == '\\') {
                escape(text);
            } else if (b < 0x20) {
                throw fail("has an unescaped control character at byte " + (position - 1) + "");
            } else if (b < 0x80) {
                text.append((char) b);
            } else {
                text.appendCodePoint(multibyte(b));
            }
        }
    }

    private void escape(StringBuilder text) throws SafeTensorsException {
        int b = here();
        position++;
        switch (b) {
            case '"', '\\', '/' -> text.append((char) b);
            case 'b' -> text.append('\b');
            case 'f' -> text.append('\f');
            case 'n' -> text.append('\n');
            case 'r' -> text.append('\r');
            case 't' -> text.append('\t');
            case 'u' -> text.appendCodePoint(unicode());
            default -> throw fail("has an unknown escape at byte " + (position - 1) + "");
        }
    }

    /** What {@code \}{@code u} is followed by: four hex digits, or a surrogate pair of two such escapes. */
    private int unicode() throws SafeTensorsException {
        long start = position;
        int unit = hex();
        if (!Character.isSurrogate((char) unit)) {
            return unit;
        }
        if (Character.isHighSurrogate((char) unit) && here() == '\\') {
            position++;
            if (here() == 'u') {
                position++;
                int low = hex();
                if (Character.isLowSurrogate((char) low)) {
                    return Character.toCodePoint((char) unit, (char) low);
                }
            }
        }
        throw fail("has half of a surrogate pair at byte " + start + "");
    }

    private int hex() throws SafeTensorsException {
        int value = 0;
        for (int i = 0; i < 4; i++, position++) {
            int b = here();
            int digit = b == NONE || b > 0x7f ? -1 : Character.digit(b, 16);
            if (digit < 0) {
                throw fail("has an escape without four hex digits at byte " + position + "");
            }
            value = value << 4 | digit;
        }
        return value;
    }

    /** A code point of two to four bytes; overlong forms, surrogates and values beyond U+10FFFF are not UTF-8. */
    private int multibyte(int lead) throws SafeTensorsException {
        long start = position - 1;
        int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
        int smallest = more == 3 ? 0x10000 : more == 2 ? 0x800 : 0x80;
        int codePoint = lead & (0x3f >> more);
        boolean valid = lead >= 0xc2 && lead <= 0xf4;
        for (int i = 0; valid && i < more; i++, position++) {
            int b = here();
            valid = b != NONE && (b & 0xc0) == 0x80;
            codePoint = codePoint << 6 | (b & 0x3f);
        }
        boolean surrogate = codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
        if (!valid || codePoint < smallest || codePoint > Character.MAX_CODE_POINT || surrogate) {
            throw fail("has a string that is not UTF-8 at byte " + start + "");
        }
        return codePoint;
    }

    /** Passes over one value of any kind, checking its syntax. Iterative: depth costs a bit, not a stack frame. */
    void skip() throws SafeTensorsException {
        long objects = 0; // bit d: the open bracket at depth d is an object's
        int depth = 0;
        do {
            if (depth > 0) {
                boolean inObject = (objects >>> (depth - 1) & 1) != 0;
                if (!next(inObject ? '}' : ']')) {
                    depth--;
                    continue;
                }
                if (inObject) {
                    key();
                }
            }
            int b = peek();
            if (b == '{' || b == '[') {
                if (depth == MAX_DEPTH) {
                    throw fail("is nested deeper than " + MAX_DEPTH + " levels at byte " + position + "");
                }
                open((char) b);
                objects = b == '{' ? objects | 1L << depth : objects & ~(1L << depth);
                depth++;
            } else {
                skipScalar(b);
            }
        } while (depth > 0);
    }

    private void skipScalar(int b) throws SafeTensorsException {
        switch (b) {
            case '"' -> string();
            case 't' -> word("true");
            case 'f' -> word("false");
            case 'n' -> word("null");
            default -> skipNumber();
        }
    }

    private void word(String word) throws SafeTensorsException {
        for (int i = 0; i < word.length(); i++, position++) {
            if (here() != word.charAt(i)) {
                throw expected("\"" + word + "\"");
            }
        }
    }

    private void skipNumber() throws SafeTensorsException {
        if (here() == '-') {
            position++;
        }
        if (here() == '0') {
            position++;
        } else {
            skipDigits();
        }
        if (here() == '.') {
            position++;
            skipDigits();
        }
        if (here() == 'e' || here() == 'E') {
            position++;
            if (here() == '+' || here() == '-') {
                position++;
            }
            skipDigits();
        }
    }

    private void skipDigits() throws SafeTensorsException {
        long start = position;
        while (here() >= '0' && here() <= '9') {
            position++;
        }
        if (position == start) {
            throw expected("a value");
        }
    }
}
