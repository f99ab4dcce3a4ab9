package dev.gyre.server.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Semaphore;
import org.eclipse.jetty.http.MultiPart;
import org.eclipse.jetty.http.MultiPartConfig;
import org.eclipse.jetty.http.MultiPartFormData;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.Attributes;
import org.eclipse.jetty.util.BufferUtil;

/** Reads request bodies, JSON objects or forms, with a limit for each and one for all that are read at a time. */
public final class BodyReader {
    private static final int BLOCK = 64 << 10, MOST_PARTS = 64;

    /** Media types read as JSON: clients that send none, and curl's default. */
    private static final Set<String> AS_JSON =
            Set.of("application/json", "", "text/plain", "application/x-www-form-urlencoded");

    /** Fields whose parts are files even without a file name; a trailing {@code []} is ignored. */
    private final List<String> files;

    private final long most;
    private final Semaphore blocks;
    private final JsonMapper mapper;

    /**
     * @param files names of fields that are files
     * @param most the limit for one body, in bytes
     * @param all the limit for all bodies at a time, in bytes
     */
    public BodyReader(List<String> files, long most, long all) {
        this.files = List.copyOf(files);
        this.most = most;
        blocks = new Semaphore((int) Math.min(Integer.MAX_VALUE, Math.max(all, most) / BLOCK + 1));
        mapper = JsonMapper.builder().build();
        mapper.getFactory()
                .setStreamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(32)
                        .maxStringLength((int) Math.min(Integer.MAX_VALUE - 8, most))
                        .build());
        mapper.enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    }

    /** @throws ApiError when the body is too long, of another type or malformed */
    public RequestFields read(Exchange exchange) throws IOException {
        String type = exchange.header("content-type").orElse("");
        String kind = type.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
        boolean form = kind.equals("multipart/form-data");
        if (!form && !AS_JSON.contains(kind))
            throw ApiError.mediaType("The body is application/json or multipart/form-data, not " + kind + ".");
        int held = 0;
        try {
            long announced = exchange.request().getLength();
            InputStream in = Request.asInputStream(exchange.request());
            if (announced > most) throw tooLarge(exchange, in);
            ByteArrayOutputStream body = new ByteArrayOutputStream(announced < 0 ? BLOCK : (int) announced);
            byte[] block = new byte[BLOCK];
            while (true) {
                if (!blocks.tryAcquire()) throw ApiError.overloaded("Too many bodies are being read at once.");
                held++;
                int read = in.readNBytes(block, 0, BLOCK);
                if (body.size() + read > most) throw tooLarge(exchange, in);
                body.write(block, 0, read);
                if (read < BLOCK) break;
            }
            return form ? form(body.toByteArray(), type) : json(body.toByteArray());
        } finally {
            blocks.release(held);
        }
    }

    /** A client that is still sending misses the response: as much again is read and discarded, unless it sent {@code Expect}. */
    private ApiError tooLarge(Exchange exchange, InputStream in) throws IOException {
        byte[] block = new byte[BLOCK];
        if (exchange.header("expect").isEmpty())
            for (long left = most + BLOCK; left > 0; left -= BLOCK) if (in.readNBytes(block, 0, BLOCK) < BLOCK) break;
        return ApiError.tooLarge("The body is larger than " + most + " bytes.");
    }

    private RequestFields json(byte[] body) throws IOException {
        JsonNode root;
        try {
            root = mapper.readTree(body);
        } catch (JsonProcessingException e) {
            // Jackson appends where a bracket was opened.
            String message = e.getOriginalMessage().replaceFirst(" \\(start marker at .*", "");
            throw ApiError.malformed("The body is not valid JSON: " + message);
        }
        if (root == null || !root.isObject()) throw ApiError.malformed("The body is to be an object of JSON.");
        Map<String, JsonNode> values = new LinkedHashMap<>();
        root.properties().forEach(entry -> values.put(entry.getKey(), entry.getValue()));
        return new RequestFields(values, Map.of(), false);
    }

    private RequestFields form(byte[] body, String type) {
        MultiPartConfig config = new MultiPartConfig.Builder()
                .maxParts(MOST_PARTS)
                .maxSize(-1)
                .maxPartSize(-1)
                .maxMemoryPartSize(-1)
                .useFilesForPartsWithoutFileName(false)
                .build();
        Map<String, JsonNode> values = new LinkedHashMap<>();
        Map<String, List<byte[]>> contents = new LinkedHashMap<>();
        try (MultiPartFormData.Parts parts = MultiPartFormData.getParts(
                Content.Source.from(ByteBuffer.wrap(body)), new Attributes.Mapped(), type, config)) {
            for (MultiPart.Part part : parts) {
                if (part.getName() == null) throw ApiError.malformed("A part of the form has no name.");
                String name = part.getName().replaceFirst("\\[]$", "");
                byte[] content = BufferUtil.toArray(Content.Source.asByteBuffer(part.getContentSource()));
                if (part.getFileName() != null || files.contains(name))
                    contents.computeIfAbsent(name, n -> new ArrayList<>()).add(content);
                else values.put(name, TextNode.valueOf(new String(content, StandardCharsets.UTF_8)));
            }
        } catch (ApiError e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            Throwable cause = e;
            while (cause.getCause() != null) cause = cause.getCause();
            throw ApiError.malformed("The form is broken: " + cause.getMessage());
        }
        return new RequestFields(values, contents, true);
    }
}
