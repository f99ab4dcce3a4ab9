package dev.gyre.server.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gyre.diffusion.request.Range;
import dev.gyre.diffusion.settings.Setting;
import dev.gyre.diffusion.settings.Settings;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The OpenAPI description: a resource, completed with the fields of the table of settings. */
final class OpenApi {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final SettingFields fields;

    OpenApi(SettingFields fields) {
        this.fields = fields;
    }

    /** @param written the resource, without those fields */
    byte[] filled(byte[] written) throws IOException {
        JsonNode page = MAPPER.readTree(written);
        JsonNode schemas = page.at("/components/schemas");
        put(ImageRequest.Kind.GENERATION, (ObjectNode) schemas.at("/Generation/properties"));
        put(ImageRequest.Kind.EDIT, (ObjectNode) schemas.at("/InitImage/properties"));
        ObjectNode parameters = (ObjectNode) schemas.at("/Parameters/properties");
        for (Setting setting : Settings.ALL)
            if (isParameter(setting)) parameters.putObject(setting.field()).put("type", type(setting));
        return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(page);
    }

    /** The fields that requests of a kind have beyond those of generations. */
    private void put(ImageRequest.Kind kind, ObjectNode properties) {
        for (Setting setting : Settings.ALL) {
            boolean general = SettingFields.has(ImageRequest.Kind.GENERATION, setting);
            boolean here =
                    kind == ImageRequest.Kind.GENERATION ? general : SettingFields.has(kind, setting) && !general;
            // Some requests require a prompt, others do not: the resource has it.
            if (here && setting != Settings.PROMPT) properties.set(setting.field(), schema(setting));
        }
    }

    private ObjectNode schema(Setting setting) {
        ObjectNode schema = JsonNodeFactory.instance.objectNode();
        schema.putArray("type").add(type(setting)).add("null");
        Optional<Range> range = fields.range(setting);
        range.ifPresent(of -> {
            number(schema, of.isOpen() ? "exclusiveMinimum" : "minimum", setting, of.min());
            number(schema, "maximum", setting, of.max());
        });
        schema.put("description", description(setting));
        return schema;
    }

    private static void number(ObjectNode schema, String key, Setting setting, double value) {
        if (setting.type() == Setting.Type.NUMBER) schema.put(key, value);
        else schema.put(key, (long) value);
    }

    /** JSON Schema's name of a setting's type. */
    static String type(Setting setting) {
        return switch (setting.type()) {
            case TEXT -> "string";
            case INTEGER, LONG -> "integer";
            case NUMBER -> "number";
            case FLAG -> "boolean";
        };
    }

    private static String description(Setting setting) {
        List<String> others = new ArrayList<>(setting.fields());
        others.remove(setting.field());
        return setting.help() + " Default: " + setting.standardInWords() + "."
                + (others.isEmpty() ? "" : " Other names: " + String.join(", ", others) + ".");
    }

    /** Whether a picture's parameters contain it. */
    static boolean isParameter(Setting setting) {
        return setting.isServed() && setting != Settings.BATCH;
    }

    /** The settings of all requests, for user interfaces. */
    ArrayNode settings() {
        ArrayNode all = JsonNodeFactory.instance.arrayNode();
        for (Setting setting : Settings.ALL)
            if (setting.isServed()) {
                ObjectNode one = all.addObject();
                String label = setting.label();
                one.put("name", setting.field())
                        .put("label", Character.toUpperCase(label.charAt(0)) + label.substring(1))
                        .put("type", type(setting))
                        .put("help", setting.help())
                        .put("default", setting.standardInWords())
                        .put("placeholder", setting.placeholder())
                        .put("image", setting.need().isOfInitImage());
                setting.standard().ifPresent(value -> one.put("value", value));
                fields.range(setting).ifPresent(range -> {
                    number(one, "minimum", setting, range.min());
                    number(one, "maximum", setting, range.max());
                });
                if (!setting.choices().isEmpty()) setting.choices().forEach(one.putArray("choices")::add);
            }
        return all;
    }
}
