package dev.gyre.server.api;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gyre.diffusion.image.Image;
import dev.gyre.server.http.ApiError;
import dev.gyre.server.http.RequestFields;
import dev.gyre.server.images.Uploads;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/** The images of a request: files of a form, or data URLs in JSON. */
final class UploadedImages {
    private static final String MASK = "mask";
    private static final int MOST = 16, HALF = 128;

    private final Uploads uploads;

    UploadedImages(Uploads uploads) {
        this.uploads = uploads;
    }

    /** @param field in JSON also in the plural, as OpenAI has it */
    List<byte[]> files(RequestFields fields, String field) {
        List<byte[]> files = new ArrayList<>(fields.files(field));
        for (String name : List.of(field, field + "s")) {
            Optional<JsonNode> value = fields.value(name);
            if (value.isEmpty()) continue;
            if (value.get().isArray()) for (JsonNode one : value.get()) files.add(data(one, name));
            else files.add(data(value.get(), name));
        }
        if (files.size() > MOST)
            throw ApiError.invalid(field, "Invalid value for '" + field + "': at most " + MOST + " images.");
        return files;
    }

    Image read(byte[] file, String field) throws InterruptedException {
        return uploads.read(file, field);
    }

    /** {@code {"image_url": "data:…"}} or the URL alone. */
    private static byte[] data(JsonNode value, String field) {
        String url =
                value.isTextual() ? value.textValue() : value.path("image_url").asText("");
        int comma = url.indexOf(',');
        if (!url.startsWith("data:") || comma < 0 || !url.substring(0, comma).endsWith(";base64"))
            throw ApiError.invalid(
                    field,
                    "Invalid value for '" + field + "': expected an image_url that begins with data:image/…;base64, —"
                            + " nothing is fetched from elsewhere.");
        try {
            return Base64.getMimeDecoder().decode(url.substring(comma + 1));
        } catch (IllegalArgumentException e) {
            throw ApiError.invalid(field, "Invalid value for '" + field + "': its base64 is broken.");
        }
    }

    /** White where the image is to be repainted: where the mask, or without one the image itself, is transparent. */
    Optional<Image> mask(RequestFields fields, Image image) throws InterruptedException {
        List<byte[]> masks = files(fields, MASK);
        if (masks.isEmpty())
            return image.alpha().filter(UploadedImages::hasHole).map(alpha -> white(image, alpha));
        Image mask = read(masks.get(0), MASK);
        if (mask.width() != image.width() || mask.height() != image.height())
            throw ApiError.invalid(
                    MASK,
                    "Invalid value for 'mask': it is to be as large as the image, " + image.width() + "x"
                            + image.height() + ", got " + mask.width() + "x" + mask.height() + ".");
        byte[] alpha = mask.alpha()
                .orElseThrow(() -> ApiError.invalid(
                        MASK,
                        "Invalid value for 'mask': it has no alpha channel; where it is transparent is painted."));
        if (!hasHole(alpha))
            throw ApiError.invalid(
                    MASK, "Invalid value for 'mask': it is transparent nowhere, so there is nothing to paint.");
        return Optional.of(white(mask, alpha));
    }

    private static boolean hasHole(byte[] alpha) {
        for (byte a : alpha) if ((a & 0xFF) < HALF) return true;
        return false;
    }

    private static Image white(Image of, byte[] alpha) {
        byte[] rgb = new byte[3 * alpha.length];
        for (int i = 0; i < alpha.length; i++)
            if ((alpha[i] & 0xFF) < HALF) Arrays.fill(rgb, 3 * i, 3 * i + 3, (byte) 255);
        return Image.of(of.width(), of.height(), rgb);
    }
}
