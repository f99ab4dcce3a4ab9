package dev.gyre.diffusion.settings;

import dev.gyre.diffusion.request.InitImage;
import dev.gyre.diffusion.request.Range;
import dev.gyre.diffusion.request.Request;
import java.math.BigDecimal;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * A setting of a picture: its name, type, range, default, a sentence of help, the names that other tools have for it, and how it is
 * stored in a {@link Request}. Declared once, in {@link Settings}; the command line, sweeps, the service, the text in PNGs, shell
 * completion and the documentation take it from there. Values are text, as users write them; {@link #parse} checks them.
 */
public final class Setting {
    /** What a value is, for JSON, for columns of tables and for the command line. */
    public enum Type {
        /** Anything; {@link Setting#choices} may list the values. */
        TEXT("text"),
        /** A whole number of 32 bits. */
        INTEGER("whole number"),
        /** A whole number of 64 bits. */
        LONG("whole number"),
        /** A floating-point number. */
        NUMBER("number"),
        /** {@code true} or {@code false}; on the command line the option's presence is {@code true}. */
        FLAG("true or false");

        private final String title;

        Type(String title) {
            this.title = title;
        }

        /** In words. */
        public String title() {
            return title;
        }
    }

    /** What a setting is about: a section of the help and of the documentation. */
    public enum Group {
        /** Texts and how they are read. */
        PROMPT("Prompt"),
        /** The picture itself. */
        IMAGE("Image"),
        /** The sampler and classifier-free guidance. */
        SAMPLING("Sampling"),
        /** Random numbers. */
        NOISE("Random numbers"),
        /** The image that generation starts from. */
        INIT_IMAGE("Image to image and inpainting"),
        /** The second, larger pass. */
        HIRES("Hires fix"),
        /** How the networks run. */
        NETWORKS("Networks");

        private final String title;

        Group(String title) {
            this.title = title;
        }

        /** In words. */
        public String title() {
            return title;
        }
    }

    /** What a request must have for a setting to mean anything. */
    public enum Need {
        /** Nothing more. */
        NOTHING(request -> true),
        /** An image to start from. */
        IMAGE(request -> request.start().isPresent(), "image"),
        /** The mask of that image, sent with it. */
        MASK(request -> mask(request).isPresent() && outpaint(request).isEmpty(), "mask"),
        /** Any mask of that image. */
        ANY_MASK(request -> mask(request).isPresent(), "mask", "outpaint"),
        /** A second pass. */
        HIRES(request -> request.hires().isPresent(), "hires"),
        /** The seed of a variation. */
        VARIATION(request -> request.noise().variation().isPresent(), "variation-seed");

        private final Predicate<Request> isMet;
        private final List<String> names;

        Need(Predicate<Request> isMet, String... names) {
            this.isMet = isMet;
            this.names = List.of(names);
        }

        private static Optional<InitImage.Mask> mask(Request request) {
            return request.start().flatMap(InitImage::mask);
        }

        private static Optional<InitImage.Outpaint> outpaint(Request request) {
            return request.start().flatMap(InitImage::outpaint);
        }

        /** Whether a request has it. */
        public boolean isMet(Request request) {
            return isMet.test(request);
        }

        /** Whether it is something about the image that generation starts from. */
        public boolean isOfInitImage() {
            return this == IMAGE || this == MASK || this == ANY_MASK;
        }

        /** Settings or inputs, one of which is what is needed. */
        public List<String> names() {
            return names;
        }
    }

    private final String name;
    private final Type type;
    private final String placeholder;
    private final Function<String, Object> parse;
    private final Function<Object, String> text;
    private final Function<Object, String> infotext;
    private final Optional<Range> range;
    private final Group group;
    private final Need need;
    private final String help;
    private final Optional<String> standard;
    private final String standardNote;
    private final Supplier<List<String>> choices;
    private final Map<Tool, List<String>> tools;
    private final String infotextDefault; // null: none
    private final Optional<String> infotextNothing;
    private final Predicate<Request> isWritten;
    private final boolean isSwept;
    private final boolean isServed;
    private final Optional<String> field;
    private final BiFunction<Request, Object, Request> write;
    private final Function<Request, Optional<?>> read;

    @SuppressWarnings("unchecked") // what parse and read give is a T, and goes to nothing but write, text and infotext
    private <T> Setting(Declaration<T> of, BiFunction<Request, T, Request> write, Function<Request, Optional<T>> read) {
        name = of.name;
        type = of.type;
        placeholder = of.placeholder;
        parse = of.parse::apply;
        text = value -> of.text.apply((T) value);
        infotext = value -> of.infotext.apply((T) value);
        range = Optional.ofNullable(of.range);
        group = of.group;
        need = of.need;
        help = of.help;
        standard = Optional.ofNullable(of.standard);
        standardNote = of.standardNote;
        choices = of.choices;
        tools = new EnumMap<>(of.tools);
        infotextDefault = of.infotextDefault;
        infotextNothing = Optional.ofNullable(of.infotextNothing);
        isSwept = of.isSwept;
        isServed = of.isServed;
        field = Optional.ofNullable(of.field);
        this.write = (request, value) -> write.apply(request, (T) value);
        this.read = read::apply;
        isWritten = of.isWritten != null
                ? of.isWritten
                : request -> !read.apply(request).equals(read.apply(Settings.BLANK));
    }

    // --- what it is

    /** In lower case with hyphens, as in {@code clip-skip}. */
    public String name() {
        return name;
    }

    /** In words, as in {@code clip skip}: what messages about it begin with. */
    public String label() {
        return name.replace('-', ' ');
    }

    /** As a column's name in tables, as in {@code clip_skip}. */
    public String column() {
        return name.replace('-', '_');
    }

    /** As an option of the command line, as in {@code --clip-skip}. */
    public String option() {
        return "--" + name;
    }

    /** As a field of a request to the service: what diffusers calls it, else as a column is called. */
    public String field() {
        return field.orElseGet(this::column);
    }

    /** What its values are. */
    public Type type() {
        return type;
    }

    /** What its value may be, for numbers. */
    public Optional<Range> range() {
        return range;
    }

    /** What stands for its value in help, as in {@code N}; empty for a {@link Type#FLAG}. */
    public String placeholder() {
        return placeholder;
    }

    /** The values that there are; empty where there are too many to list. */
    public List<String> choices() {
        return choices.get();
    }

    /** What it is about. */
    public Group group() {
        return group;
    }

    /** What it does nothing without. */
    public Need need() {
        return need;
    }

    /** A sentence, without the default. */
    public String help() {
        return help;
    }

    /** The value where nobody gives one and the model has none of its own; empty where nothing takes its place. */
    public Optional<String> standard() {
        return standard.or(() -> need == Need.NOTHING ? text(Settings.BLANK) : Optional.empty());
    }

    /** The default in words, as in {@code 25; small models 20}. */
    public String standardInWords() {
        return standardNote != null
                ? standardNote
                : standard().filter(s -> !s.isEmpty()).orElse("none");
    }

    /** The names that a tool has for it. Where they mean something else than here, they are not among these. */
    public List<String> names(Tool tool) {
        return tools.getOrDefault(tool, List.of());
    }

    /** Names of the command line beside {@link #option()}: other tools', with hyphens, as in {@code --cfg-scale} and {@code -W}. */
    public Set<String> otherOptions() {
        Set<String> options = new LinkedHashSet<>();
        options.addAll(names(Tool.SDCPP));
        for (Tool tool : List.of(Tool.DIFFUSERS, Tool.WEBUI))
            for (String other : names(tool)) options.add("--" + other.replace('_', '-'));
        options.remove(option());
        return options;
    }

    /** Names of fields and columns: {@link #field()}, {@link #column()}, then other tools', as in {@code cfg_scale}. */
    public Set<String> fields() {
        Set<String> fields = new LinkedHashSet<>();
        fields.add(field());
        fields.add(column());
        fields.addAll(names(Tool.DIFFUSERS));
        fields.addAll(names(Tool.WEBUI));
        for (String option : names(Tool.SDCPP))
            if (option.startsWith("--")) fields.add(option.substring(2).replace('-', '_'));
        return fields;
    }

    /** Whether a sweep may vary it. */
    public boolean isSwept() {
        return isSwept && !need.isOfInitImage();
    }

    /** Whether a request to the service may have it. */
    public boolean isServed() {
        return isServed;
    }

    // --- its value

    /**
     * Checks a value by itself, whatever else a request may have.
     *
     * @throws NumberFormatException when a number is expected
     * @throws IllegalArgumentException when the value makes no sense, naming the setting
     */
    public void check(String value) {
        Object parsed = parse(value);
        if (need == Need.NOTHING) write.apply(Settings.BLANK, parsed);
    }

    private Object parse(String value) {
        Object parsed = parse.apply(value);
        range.ifPresent(in -> in.check(label(), (Number) parsed));
        return parsed;
    }

    /** Whether a value makes sense by itself. */
    public boolean takes(String value) {
        try {
            parse(value);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /**
     * The request with this setting.
     *
     * @throws IllegalArgumentException when the value makes no sense, or none with the request's others
     */
    public Request apply(Request request, String value) {
        Object parsed = parse(value);
        if (!need.isMet(request))
            throw new IllegalArgumentException(
                    label() + ": goes with " + String.join(" or ", need.names()) + ", which is missing");
        return write.apply(request, parsed);
    }

    /** What a request has, as text; empty where that is left to others. */
    public Optional<String> text(Request request) {
        return read.apply(request).map(text);
    }

    /** Likewise, as an object of its {@link #type()}. */
    public Optional<Object> value(Request request) {
        return read.apply(request).map(value -> type == Type.TEXT ? text.apply(value) : value);
    }

    /** What is written into a PNG that was drawn so, if anything: what a request without settings has too is left out. */
    public Optional<String> infotext(Request request) {
        return isWritten.test(request) ? read.apply(request).map(infotext) : Optional.empty();
    }

    /**
     * The value that a PNG's text has, taken out of its entries: that under the last of the {@linkplain Tool#INFOTEXT names} that is
     * there. Empty where none is, or one that means nothing.
     */
    public Optional<String> take(Map<String, String> entries) {
        for (String key : names(Tool.INFOTEXT).reversed()) {
            String value = entries.remove(key);
            if (value != null) return Optional.of(value).filter(v -> !infotextNothing.equals(Optional.of(v)));
        }
        return Optional.ofNullable(infotextDefault);
    }

    @Override
    public String toString() {
        return name;
    }

    // --- how one is declared

    /** A setting that is text. */
    public static Declaration<String> text(String name, String placeholder) {
        return of(name, placeholder, Function.identity(), Function.identity());
    }

    /** A setting whose values have a spelling of their own. */
    public static <T> Declaration<T> of(
            String name, String placeholder, Function<String, T> parse, Function<T, String> text) {
        return new Declaration<>(name, Type.TEXT, placeholder, null, parse, text);
    }

    /** A setting that is a whole number. */
    public static Declaration<Integer> integer(String name, String placeholder, Range range) {
        return new Declaration<>(
                name,
                Type.INTEGER,
                placeholder,
                range,
                value -> number(name, "a whole number", value, Integer::valueOf),
                String::valueOf);
    }

    /** A setting that is a whole number of up to 64 bits. */
    public static Declaration<Long> whole(String name, String placeholder) {
        return new Declaration<>(
                name,
                Type.LONG,
                placeholder,
                null,
                value -> number(name, "a whole number", value, Long::valueOf),
                String::valueOf);
    }

    /** A setting that is a floating-point number. */
    public static Declaration<Double> number(String name, String placeholder, Range range) {
        return new Declaration<>(
                name,
                Type.NUMBER,
                placeholder,
                range,
                value -> number(name, "a number", value, text -> new BigDecimal(text).doubleValue()),
                Setting::shortest);
    }

    /** A setting that is on or off. */
    public static Declaration<Boolean> flag(String name) {
        Function<String, Boolean> parse = value -> switch (value.toLowerCase(Locale.ROOT)) {
            case "true" -> true;
            case "false" -> false;
            default ->
                throw new IllegalArgumentException(name.replace('-', ' ') + ": true or false, got \"" + value + "\"");
        };
        return new Declaration<>(name, Type.FLAG, "", null, parse, String::valueOf)
                .infotext(value -> value ? "True" : "False");
    }

    private static <T> T number(String name, String what, String value, Function<String, T> parse) {
        try {
            return parse.apply(value.strip());
        } catch (NumberFormatException e) {
            NumberFormatException named =
                    new NumberFormatException(name.replace('-', ' ') + ": " + what + ", got \"" + value + "\"");
            named.initCause(e);
            throw named;
        }
    }

    /** A number as short as it can be: {@code 7}, {@code 7.5}. */
    private static String shortest(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? String.valueOf((long) value)
                : String.valueOf(value);
    }

    /**
     * A setting being declared; {@link #stored} ends it.
     *
     * @param <T> what a value is once it is parsed
     */
    public static final class Declaration<T> {
        private final String name;
        private final Type type;
        private final String placeholder;
        private final Range range; // null: any
        private final Function<String, T> parse;
        private final Function<T, String> text;
        private final Map<Tool, List<String>> tools = new EnumMap<>(Tool.class);
        private Function<T, String> infotext;
        private Group group;
        private Need need = Need.NOTHING;
        private String help;
        private String standard;
        private String standardNote;
        private Supplier<List<String>> choices = List::of;
        private String infotextDefault;
        private String infotextNothing;
        private Predicate<Request> isWritten;
        private String field;
        private boolean isSwept = true;
        private boolean isServed = true;

        private Declaration(
                String name,
                Type type,
                String placeholder,
                Range range,
                Function<String, T> parse,
                Function<T, String> text) {
            this.name = name;
            this.type = type;
            this.placeholder = placeholder;
            this.range = range;
            this.parse = parse;
            this.text = text;
            infotext = text;
        }

        /** What it is about. */
        public Declaration<T> in(Group group) {
            this.group = group;
            return this;
        }

        /** A sentence that says what it does, without the default. */
        public Declaration<T> help(String sentence) {
            help = sentence;
            return this;
        }

        /** What it does nothing without. */
        public Declaration<T> needs(Need need) {
            this.need = need;
            return this;
        }

        /** The value where nobody gives one; without it, what {@link Settings#BLANK} has. */
        public Declaration<T> standard(T value) {
            standard = text.apply(value);
            return this;
        }

        /** The default in words, where a value alone does not say it. */
        public Declaration<T> standardInWords(String words) {
            standardNote = words;
            return this;
        }

        /** The values that there are. */
        public Declaration<T> choices(Supplier<List<String>> values) {
            choices = values;
            return this;
        }

        /** What a tool calls it. Of several names in PNG texts the first that is free is written. */
        public Declaration<T> known(Tool tool, String... names) {
            tools.put(tool, List.of(names));
            return this;
        }

        /** The service's name for it. */
        public Declaration<T> field(String name) {
            field = name;
            return this;
        }

        /** Its spelling in a PNG's text. */
        public Declaration<T> infotext(Function<T, String> spelling) {
            infotext = spelling;
            return this;
        }

        /** What a PNG's text that does not speak of it means. */
        public Declaration<T> infotextDefault(String value) {
            infotextDefault = value;
            return this;
        }

        /** A value in a PNG's text that is as good as none. */
        public Declaration<T> infotextNothing(String value) {
            infotextNothing = value;
            return this;
        }

        /** When it is written into PNGs. */
        public Declaration<T> writtenWhen(Predicate<Request> condition) {
            isWritten = condition;
            return this;
        }

        /** Sweeps do not vary it. */
        public Declaration<T> notSwept() {
            isSwept = false;
            return this;
        }

        /** The service does not take it. */
        public Declaration<T> notServed() {
            isServed = false;
            return this;
        }

        /**
         * Where requests keep it.
         *
         * @param write gives a request a value
         * @param read a request's value; empty where that is left to the model
         */
        public Setting stored(BiFunction<Request, T, Request> write, Function<Request, Optional<T>> read) {
            return new Setting(this, write, read);
        }
    }
}
