package dev.gyre.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Response;

/** A response of server-sent events, each a name and a line of JSON. */
public final class Events {
    private final Response response;

    Events(Response response) {
        this.response = response;
    }

    /** @throws IOException when the client has disconnected */
    public void send(String name, JsonNode data) throws IOException {
        write("event: " + name + "\ndata: " + new String(Exchange.bytes(data), StandardCharsets.UTF_8) + "\n\n");
    }

    /** Sends a comment, which keeps proxies from closing the connection. */
    public void alive() throws IOException {
        write(": alive\n\n");
    }

    private void write(String text) throws IOException {
        Content.Sink.write(response, false, Exchange.utf8(text));
    }

    public void end() throws IOException {
        Content.Sink.write(response, true, ByteBuffer.allocate(0));
    }
}
