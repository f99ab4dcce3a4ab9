package dev.gyre.server;

import dev.gyre.server.api.Api;
import dev.gyre.server.http.Router;
import dev.gyre.server.jobs.JobQueue;
import dev.gyre.server.jobs.Worker;
import dev.gyre.server.models.Loader;
import dev.gyre.server.models.LoraFolder;
import dev.gyre.server.models.Models;
import dev.gyre.server.options.ServerOptions;
import java.io.IOException;
import java.net.URI;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.Set;
import java.util.regex.Pattern;
import org.eclipse.jetty.server.ForwardedRequestCustomizer;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.CrossOriginHandler;
import org.eclipse.jetty.server.handler.GracefulHandler;
import org.eclipse.jetty.server.handler.MinimumDataRateHandler;
import org.eclipse.jetty.util.VirtualThreads;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/** The service: models behind the endpoints of OpenAI's image API, with a web page. */
public final class GyreServer implements AutoCloseable {
    /** Idle timeout of a connection. */
    private static final Duration IDLE = Duration.ofSeconds(30);

    /** When stopping: the time to send responses, and to close idle connections. */
    private static final Duration LAST_ANSWERS = Duration.ofSeconds(5), LAST_READS = Duration.ofMillis(200);

    /** The lowest average rate of a request body, in bytes a second. */
    private static final long SLOWEST = 512;

    private final ServerOptions settings;
    private final JobQueue queue;
    private final Worker device;
    private final Server server;
    private final Router router;
    private final ServerConnector connector;

    /**
     * Prepares a service.
     *
     * @throws IOException when a model or a folder of the options does not exist
     * @throws IllegalArgumentException when a model cannot be served
     */
    public GyreServer(ServerOptions settings, Loader loader) throws IOException {
        this(settings, loader, IDLE);
    }

    GyreServer(ServerOptions settings, Loader loader, Duration idle) throws IOException {
        this.settings = settings;
        Models models = new Models(settings.models(), settings.strict());
        ServerOptions.Limits limits = settings.limits();
        queue = new JobQueue(limits.queue(), limits.time());
        LoraFolder loras = new LoraFolder(settings.loras());
        loras.names(); // the folder exists
        device = new Worker(queue, loader, loras, models.standard(), limits.batch());
        router = new Api(settings, models, loader, queue, device, loras).router();
        QueuedThreadPool threads = new QueuedThreadPool(16);
        threads.setName("gyre-http");
        // A request may wait for long: each has a virtual thread.
        threads.setVirtualThreadsExecutor(VirtualThreads.getNamedVirtualThreadsExecutor("gyre-http-"));
        server = new Server(threads);
        connector = new ServerConnector(server, 1, 1, new HttpConnectionFactory(http()));
        connector.setHost(settings.listen().host());
        connector.setPort(settings.listen().port());
        connector.setIdleTimeout(idle.toMillis());
        connector.setShutdownIdleTimeout(LAST_READS.toMillis());
        server.addConnector(connector);
        server.setStopTimeout(LAST_ANSWERS.toMillis());
        // Stopping waits for responses in progress.
        server.setHandler(new GracefulHandler(new MinimumDataRateHandler(crossOrigin(router), SLOWEST, 0)));
        server.setErrorHandler(new BrokenRequests());
    }

    private static HttpConfiguration http() {
        HttpConfiguration http = new HttpConfiguration();
        http.setSendServerVersion(false);
        http.addCustomizer(new ForwardedRequestCustomizer());
        return http;
    }

    private Handler crossOrigin(Handler inner) {
        if (settings.access().origins().isEmpty()) return inner;
        CrossOriginHandler handler = new CrossOriginHandler();
        handler.setAllowedOriginPatterns(Set.copyOf(settings.access().origins().stream()
                .map(origin -> origin.equals("*") ? ".*" : Pattern.quote(origin))
                .toList()));
        handler.setAllowedMethods(Set.of("GET", "POST"));
        handler.setAllowedHeaders(Set.of("*"));
        handler.setExposedHeaders(Set.of("x-request-id", "retry-after", "x-should-retry"));
        handler.setHandler(inner);
        return handler;
    }

    /** Starts listening, and loads the first model. */
    public void start() throws IOException {
        device.start();
        try {
            server.start();
        } catch (IOException e) {
            String where = settings.listen().host() + ":" + settings.listen().port();
            // Jetty's message repeats the address; its cause has the reason.
            Throwable why = e.getCause() == null ? e : e.getCause();
            String reason = why instanceof UnresolvedAddressException ? "there is no such host" : why.getMessage();
            throw new IOException("cannot listen on " + where + ": " + reason, e);
        } catch (Exception e) {
            throw new IllegalStateException("the service did not start", e);
        }
    }

    /** The URI that it listens on. */
    public URI uri() {
        String host = settings.listen().host();
        String shown = host.contains(":") ? "[" + host + "]" : host;
        return URI.create("http://" + shown + ":" + connector.getLocalPort());
    }

    /** Its routes. */
    Router router() {
        return router;
    }

    /** Takes no more jobs, finishes those it has within the time that the options give, and releases everything. */
    @Override
    public void close() {
        try {
            queue.close(settings.limits().grace());
            device.join(settings.limits().grace());
            server.stop();
            server.destroy();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Exception e) {
            throw new IllegalStateException("the service did not stop as it should", e);
        }
    }
}
