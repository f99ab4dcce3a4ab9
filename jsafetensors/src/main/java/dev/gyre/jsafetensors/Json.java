package dev.gyre.jsafetensors;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The JSON that a header needs, read strictly: duplicate keys, numbers that are not whole, and deep nesting are refused. Gives
 * {@code Map}, {@code List}, {@code String}, {@code Long}, {@code Boolean} and {@link #NULL}.
 */
final class Json {
    static final Object NULL = new Object();

    /** A header nests three deep. */
    private static final int MAX_DEPTH = 16;

    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /** What is wrong with the text, and where. */
    static final class Malformed extends Exception {
        private static final long serialVersionUID = 1L;

        Malformed(String problem) {
            super(problem);
        }
    }

    /** Reads one value and the spaces around it. */
    static Object parse(ByteBuffer utf8) throws Malformed {
        String text;
        try {
            text = StandardCharsets.UTF_8.newDecoder().decode(utf8).toString();
        } catch (CharacterCodingException e) {
            throw new Malformed("not UTF-8");
        }
        Json json = new Json(text);
        Object value = json.value(0);
        json.spaces();
        if (json.at < text.length()) throw json.malformed("something follows the value");
        return value;
    }

    /** {@code s} as a JSON string, quotes included. */
    static String quote(String s) {
        StringBuilder out = new StringBuilder("\"");
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            if (c == '"' || c == '\\') out.append('\\').append(c);
            else if (c < 0x20) out.append(String.format("\\u%04x", (int) c));
            else out.append(c);
        }
        return out.append('"').toString();
    }

    private Malformed malformed(String problem) {
        return new Malformed(problem + " at character " + at);
    }

    private void spaces() {
        while (at < text.length() && " \t\n\r".indexOf(text.charAt(at)) >= 0) at++;
    }

    private char peek() throws Malformed {
        if (at >= text.length()) throw malformed("the text ends early");
        return text.charAt(at);
    }

    private void expect(char c) throws Malformed {
        if (peek() != c) throw malformed("expected '" + c + "', got '" + peek() + "'");
        at++;
    }

    private Object value(int depth) throws Malformed {
        if (depth > MAX_DEPTH) throw malformed("nested deeper than " + MAX_DEPTH);
        spaces();
        char c = peek();
        if (c == '{') return object(depth);
        if (c == '[') return array(depth);
        if (c == '"') return string();
        if (c == '-' || c >= '0' && c <= '9') return number();
        if (word("true")) return Boolean.TRUE;
        if (word("false")) return Boolean.FALSE;
        if (word("null")) return NULL;
        throw malformed("unexpected '" + c + "'");
    }

    private boolean word(String word) {
        if (!text.startsWith(word, at)) return false;
        at += word.length();
        return true;
    }

    private Map<String, Object> object(int depth) throws Malformed {
        Map<String, Object> map = new LinkedHashMap<>();
        expect('{');
        spaces();
        if (peek() == '}') {
            at++;
            return map;
        }
        while (true) {
            spaces();
            String key = string();
            spaces();
            expect(':');
            if (map.put(key, value(depth + 1)) != null) throw malformed("the key \"" + key + "\" stands twice");
            spaces();
            if (peek() == '}') {
                at++;
                return map;
            }
            expect(',');
        }
    }

    private List<Object> array(int depth) throws Malformed {
        List<Object> list = new ArrayList<>();
        expect('[');
        spaces();
        if (peek() == ']') {
            at++;
            return list;
        }
        while (true) {
            list.add(value(depth + 1));
            spaces();
            if (peek() == ']') {
                at++;
                return list;
            }
            expect(',');
        }
    }

    private String string() throws Malformed {
        expect('"');
        StringBuilder out = new StringBuilder();
        while (true) {
            char c = peek();
            at++;
            if (c == '"') break;
            if (c < 0x20) throw malformed("a control character in a string");
            out.append(c == '\\' ? escape() : c);
        }
        for (int i = 0; i < out.length(); i++) {
            char c = out.charAt(i);
            if (Character.isHighSurrogate(c) && i + 1 < out.length() && Character.isLowSurrogate(out.charAt(i + 1)))
                i++;
            else if (Character.isSurrogate(c)) throw malformed("half of a surrogate pair in a string");
        }
        return out.toString();
    }

    private char escape() throws Malformed {
        char c = peek();
        at++;
        switch (c) {
            case '"':
            case '\\':
            case '/':
                return c;
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u':
                int code = 0;
                for (int i = 0; i < 4; i++) {
                    int digit = Character.digit(peek(), 16);
                    if (digit < 0 || peek() > 'f') throw malformed("a \\u escape has four hexadecimal digits");
                    code = code * 16 + digit;
                    at++;
                }
                return (char) code;
            default:
                throw malformed("unknown escape '\\" + c + "'");
        }
    }

    private Long number() throws Malformed {
        int from = at;
        if (peek() == '-') at++;
        int digits = at;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') at++;
        if (at < text.length() && ".eE".indexOf(text.charAt(at)) >= 0) throw malformed("a number is not whole");
        if (at - digits > 1 && text.charAt(digits) == '0') throw malformed("a number begins with 0");
        try {
            return Long.parseLong(text, from, at, 10);
        } catch (NumberFormatException e) {
            throw malformed("not a number of 64 bits");
        }
    }
}
