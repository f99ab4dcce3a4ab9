package dev.gyre.server.api;

import dev.gyre.server.http.Router;
import dev.gyre.server.images.ImageUrls;
import dev.gyre.server.jobs.JobQueue;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.instrumentation.jvm.JvmMetrics;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.Unit;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.function.DoubleSupplier;

/** Metrics for Prometheus. */
final class Metrics implements Router.Listener {
    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final Counter pictures = Counter.builder()
            .name("gyre_pictures")
            .help("Pictures that were drawn and answered.")
            .register(registry);
    private final Counter rejected = Counter.builder()
            .name("gyre_rejected")
            .help("Requests that found the queue full.")
            .register(registry);
    private final Histogram requests = Histogram.builder()
            .name("gyre_http_request_seconds")
            .unit(Unit.SECONDS)
            .help("Requests and how long their answers took; 499 are those whose clients went away.")
            .labelNames("method", "route", "status")
            .classicUpperBounds(0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
            .classicOnly()
            .register(registry);

    Metrics(JobQueue queue, ImageUrls links) {
        gauge("gyre_queue_waiting", "Jobs that wait.", queue::waiting);
        gauge("gyre_queue_running", "Jobs that are being drawn.", queue::running);
        gauge("gyre_links_bytes", "Bytes of pictures that URLs keep.", links::bytes);
        JvmMetrics.builder().register(registry);
    }

    private void gauge(String name, String help, DoubleSupplier value) {
        GaugeWithCallback.builder()
                .name(name)
                .help(help)
                .callback(callback -> callback.call(value.getAsDouble()))
                .register(registry);
    }

    void drawn() {
        pictures.inc();
    }

    void rejected() {
        rejected.inc();
    }

    @Override
    public void answered(String method, String route, int status, double seconds) {
        // Only known methods, or clients could create any number of labels.
        String known = route.equals("-") ? "-" : method;
        requests.labelValues(known, route, String.valueOf(status)).observe(seconds);
    }

    String type() {
        return PrometheusTextFormatWriter.CONTENT_TYPE;
    }

    byte[] text() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        PrometheusTextFormatWriter.create().write(out, registry.scrape());
        return out.toByteArray();
    }
}
