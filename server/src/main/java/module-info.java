/** Serves models through the endpoints of OpenAI's image API, with a page to look at. */
@SuppressWarnings("requires-automatic") // Prometheus' client has no descriptors
module dev.gyre.server {
    requires transitive dev.gyre.diffusion;
    requires com.fasterxml.jackson.databind;
    requires io.prometheus.metrics.core;
    requires io.prometheus.metrics.instrumentation.jvm;
    requires io.prometheus.metrics.model;
    requires io.prometheus.writer.text;
    requires org.eclipse.jetty.server;
    requires kotlin.stdlib; // libwebp's writer needs it and has no descriptor to say so

    exports dev.gyre.server;
    exports dev.gyre.server.models;
    exports dev.gyre.server.options;
}
