package dev.gyre.server.http;

import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.io.QuietException;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** Finds a request's route, checks its key, and turns failures into error responses. */
public final class Router extends Handler.Abstract {
    private static final System.Logger LOG = System.getLogger(Router.class.getName());
    private static final String PREFIX = "/v1";

    /** Called after every response. */
    @FunctionalInterface
    public interface Listener {
        /** @param route its path with variables, so that there are few; {@code -} for none */
        void answered(String method, String route, int status, double seconds);
    }

    private final List<Route> routes;
    private final ApiKeys keys;
    private final List<String> origins;
    private final Listener listener;

    /**
     * @param keys without any, everyone is let in
     * @param origins whose pages may call
     */
    public Router(List<Route> routes, List<String> keys, List<String> origins, Listener listener) {
        this.routes = List.copyOf(routes);
        this.keys = new ApiKeys(keys);
        this.origins = origins;
        this.listener = listener;
    }

    /** A route and the values of its variables; the route is null when there is none, and {@code others} are the path's methods. */
    private record Match(Route route, Map<String, String> path, Set<String> others) {}

    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        // Generating takes longer than the idle timeout.
        request.addIdleTimeoutListener(timeout -> false);
        Match match = find(request);
        Exchange exchange = new Exchange(request, response, match.path);
        try {
            answer(exchange, match);
            finish(exchange, match, callback, null);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            fail(exchange, match, callback, ApiError.stopping());
        } catch (Exception | StackOverflowError | OutOfMemoryError e) {
            fail(exchange, match, callback, e);
        }
        return true;
    }

    private void answer(Exchange exchange, Match match) throws Exception {
        Request request = exchange.request();
        if (match.route == null && match.others.isEmpty())
            throw ApiError.notFound("There is nothing at " + request.getMethod() + " "
                    + request.getHttpURI().getPath() + ".");
        if (match.route == null) {
            exchange.header("allow", String.join(", ", match.others));
            throw ApiError.method("There is no " + request.getMethod() + " at "
                    + request.getHttpURI().getPath() + ", only " + String.join(" and ", match.others) + ".");
        }
        if (match.route.access() != Route.Access.OPEN) {
            checkOrigin(exchange);
            keys.check(exchange.header("authorization"));
        }
        match.route.answer().to(exchange);
    }

    /** Browsers send the page's origin; another site's page may call only if it is allowed. */
    private void checkOrigin(Exchange exchange) {
        Optional<String> origin = exchange.header("origin");
        if (origin.isEmpty() || origins.contains("*") || origins.contains(origin.get())) return;
        String host = exchange.header("host").orElse("");
        String own = origin.get().replaceFirst("^[a-z]+://", "");
        if (!own.equalsIgnoreCase(host)
                && !own.equalsIgnoreCase(exchange.header("x-forwarded-host").orElse(host)))
            throw ApiError.forbidden("Pages of " + origin.get() + " may not call this service.");
    }

    private Match find(Request request) {
        String path = request.getHttpURI().getCanonicalPath();
        String bare = path == null ? "" : path.startsWith(PREFIX + "/") ? path.substring(PREFIX.length()) : path;
        String method = request.getMethod().equals("HEAD") ? "GET" : request.getMethod();
        Set<String> others = new LinkedHashSet<>();
        for (Route route : routes) {
            Optional<Map<String, String>> names =
                    route.match(route.access() == Route.Access.API ? bare : path == null ? "" : path);
            if (names.isEmpty()) continue;
            if (route.method().equals(method)) return new Match(route, names.get(), others);
            others.add(route.method());
        }
        return new Match(null, Map.of(), others);
    }

    private void fail(Exchange exchange, Match match, Callback callback, Throwable e) {
        if (exchange.isCommitted() || isGone(e)) {
            finish(exchange, match, callback, e);
            return;
        }
        try {
            exchange.send(error(exchange, e));
            finish(exchange, match, callback, null);
        } catch (Exception again) {
            finish(exchange, match, callback, again);
        }
    }

    private static ApiError error(Exchange exchange, Throwable e) {
        if (e instanceof ApiError error) return error;
        if (e instanceof HttpException bad && bad.getCode() < 500)
            return ApiError.malformed("The request is broken: " + bad.getReason());
        if (e instanceof TimeoutException || e.getCause() instanceof TimeoutException)
            return ApiError.slow("The body did not come in time.");
        if (e instanceof OutOfMemoryError) return ApiError.overloaded("There is not enough memory for this request.");
        LOG.log(Level.ERROR, exchange.id() + " failed", e);
        return ApiError.internal("Something went wrong; the log says more at " + exchange.id() + ".");
    }

    private static boolean isGone(Throwable e) {
        return e instanceof EofException || e instanceof QuietException;
    }

    private void finish(Exchange exchange, Match match, Callback callback, Throwable failure) {
        Request request = exchange.request();
        int status = failure == null ? exchange.status() : 499; // nginx's number for a client that did not wait
        double seconds = (System.nanoTime() - request.getBeginNanoTime()) / 1e9;
        String route = match.route == null ? "-" : match.route.path();
        listener.answered(request.getMethod(), route, status, seconds);
        Level level = match.route != null && match.route.access() == Route.Access.API ? Level.INFO : Level.DEBUG;
        LOG.log(
                level,
                () -> String.format(
                        Locale.ROOT, "%s %s %s %d %.3f s", exchange.id(), request.getMethod(), route, status, seconds));
        if (failure == null) callback.succeeded();
        else callback.failed(failure);
    }

    public List<Route> routes() {
        return new ArrayList<>(routes);
    }
}
