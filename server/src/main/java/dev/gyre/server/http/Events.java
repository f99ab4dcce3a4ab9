package dev.gyre.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Response;

/** An answer that goes on: server-sent events, each a name and a line of JSON. */
public final class Events {
    private final Response response;

    Events(Response response) {
        this.response = response;
    }

    /** @throws IOException when the client has gone */
    public void send(String name, JsonNode data) throws IOException {
        write("event: " + name + "\ndata: " + new String(Exchange.bytes(data), StandardCharsets.UTF_8) + "\n\n");
    }

    /** Says that all is well, so that nobody on the way gives the connection up. */
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
