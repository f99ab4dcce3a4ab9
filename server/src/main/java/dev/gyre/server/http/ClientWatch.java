package dev.gyre.server.http;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.BufferUtil;

/**
 * Notices that a client has gone while its answer is being made. HTTP/1.1 has no word for it: the connection's end is all there is, and
 * nobody looks for that between a request and its answer. So it is looked for by reading; what a client sent ahead is handed on.
 */
final class ClientWatch {
    private final Connection connection;
    private final EndPoint end;
    private boolean gone;
    private boolean sentAhead;

    ClientWatch(Request request) {
        connection = request.getConnectionMetaData().getConnection();
        end = connection.getEndPoint();
    }

    boolean gone() {
        if (gone || sentAhead) return gone;
        ByteBuffer buffer = BufferUtil.allocate(1024);
        try {
            int read = end.fill(buffer);
            gone = read < 0;
            sentAhead = read > 0;
        } catch (IOException e) {
            gone = true;
        }
        if (sentAhead) ((Connection.UpgradeTo) connection).onUpgradeTo(buffer);
        return gone;
    }
}
