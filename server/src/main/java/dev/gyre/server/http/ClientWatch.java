package dev.gyre.server.http;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.BufferUtil;

/**
 * Notices that a client disconnects before its response. HTTP/1.1 has no message for it: there is only the end of the connection, and
 * Jetty does not look for that between a request and its response. So it is detected by reading; pipelined bytes are handed on.
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
