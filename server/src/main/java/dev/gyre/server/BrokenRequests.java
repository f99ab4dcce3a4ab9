package dev.gyre.server;

import dev.gyre.server.http.ApiError;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;

/** Responses to invalid HTTP, in the same shape as all errors. */
final class BrokenRequests extends ErrorHandler {
    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/json");
        ApiError error = response.getStatus() < 500
                ? ApiError.malformed("The request is not valid HTTP.")
                : ApiError.internal("Something went wrong.");
        response.write(true, bytes(error), callback);
        return true;
    }

    private static ByteBuffer bytes(ApiError error) {
        return ByteBuffer.wrap(error.json().toString().getBytes(StandardCharsets.UTF_8));
    }
}
