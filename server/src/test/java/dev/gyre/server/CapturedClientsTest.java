package dev.gyre.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What official clients send, to the byte, as recorded from them: 0.27 and 3.22 of openai for Python, 6.49 of openai for Node, whose
 * forms are chunked.
 */
@ExtendWith(SharedService.class)
class CapturedClientsTest {
    private static Running service;

    @BeforeAll
    static void start(Running shared) {
        service = shared;
    }

    @ParameterizedTest
    @CsvSource({
        "python-0.27.9-generate, 1, 512x512",
        "python-0.27.9-generate-extras, 1, 128x128",
        "python-0.27.9-edit, 1, 64x64",
        "python-0.27.9-edit-masked, 1, 64x64",
        "python-0.27.9-variation, 1, 256x256",
        "python-0.27.9-models, 0,",
        "python-3.22.1-generate, 1, 512x512",
        "python-3.22.1-edit-masked, 2, 64x64",
        "python-3.22.1-edit-array, 1, 64x64",
        "python-3.22.1-variation, 1, 64x64",
        "python-3.22.1-models, 0,",
        "node-6.49.0-generate, 1, 512x512",
        "node-6.49.0-edit-masked, 2, 512x512",
        "node-6.49.0-edit-array, 1, 64x64",
        "node-6.49.0-variation, 1, 256x256",
        "node-6.49.0-models, 0,",
    })
    void isAnswered(String name, int pictures, String size) throws IOException {
        byte[] request = Running.resource("captures/" + name + ".http");
        JsonNode body = Running.MAPPER.readTree(answer(request));
        if (pictures == 0) {
            assertEquals("shapes", body.at("/data/0/id").textValue());
            return;
        }
        assertEquals(pictures, body.get("data").size());
        assertEquals(size, body.get("size").textValue());
        boolean asked = new String(request, StandardCharsets.ISO_8859_1).contains("b64_json");
        assertEquals(asked, !body.at("/data/0").has("url"));
    }

    /** The body of the answer, which has to be a success. */
    private static byte[] answer(byte[] request) throws IOException {
        try (Socket socket =
                new Socket(service.server.uri().getHost(), service.server.uri().getPort())) {
            socket.setSoTimeout(120_000);
            socket.getOutputStream().write(request);
            InputStream in = socket.getInputStream();
            ByteArrayOutputStream head = new ByteArrayOutputStream();
            while (!head.toString(StandardCharsets.US_ASCII).endsWith("\r\n\r\n")) head.write(in.read());
            String headers = head.toString(StandardCharsets.US_ASCII);
            assertTrue(headers.startsWith("HTTP/1.1 200 OK\r\n"), headers);
            int length = Integer.parseInt(headers.replaceFirst("(?is).*\r\ncontent-length: *(\\d+)\r\n.*", "$1"));
            return in.readNBytes(length);
        }
    }
}
