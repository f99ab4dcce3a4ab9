package dev.gyre.server.api;

import dev.gyre.server.http.Exchange;
import dev.gyre.server.http.Route;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;

/** The files of the web page. It loads nothing from elsewhere, which its content security policy enforces. */
final class Page {
    static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:;"
            + " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html; charset=utf-8",
            "css", "text/css; charset=utf-8",
            "js", "text/javascript; charset=utf-8",
            "svg", "image/svg+xml",
            "json", Exchange.JSON);
    private static final List<String> FILES = List.of(
            "index.html", "style.css", "icon.svg", "main.js", "api.js", "brush.js", "gallery.js", "openapi.json");

    private Page() {}

    static List<Route> routes(OpenApi page) {
        List<Route> routes = new ArrayList<>();
        for (String file : FILES) {
            byte[] bytes = bytes(file, page);
            String type = TYPES.get(file.substring(file.lastIndexOf('.') + 1));
            String path = file.equals("index.html") ? "/" : "/" + file;
            routes.add(new Route("GET", path, Route.Access.OPEN, exchange -> answer(exchange, type, bytes)));
        }
        return routes;
    }

    private static void answer(Exchange exchange, String type, byte[] bytes) throws IOException {
        CRC32 sum = new CRC32();
        sum.update(bytes);
        String tag = '"' + HexFormat.of().toHexDigits((int) sum.getValue()) + '"';
        exchange.header("content-security-policy", POLICY)
                .header("x-content-type-options", "nosniff")
                .header("referrer-policy", "no-referrer")
                .header("cache-control", "no-cache")
                .header("etag", tag);
        boolean known = exchange.header("if-none-match").filter(tag::equals).isPresent();
        exchange.send(known ? 304 : 200, type, known ? new byte[0] : bytes);
    }

    private static byte[] bytes(String file, OpenApi page) {
        try (InputStream in = Page.class.getResourceAsStream("/dev/gyre/server/page/" + file)) {
            if (in == null) throw new IllegalStateException("the page's file " + file + " is not there");
            return file.equals("openapi.json") ? page.filled(in.readAllBytes()) : in.readAllBytes();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
