package dev.gyre.server.api;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gyre.server.http.ApiError;
import dev.gyre.server.http.BodyReader;
import dev.gyre.server.http.Events;
import dev.gyre.server.http.Exchange;
import dev.gyre.server.jobs.Event;
import dev.gyre.server.jobs.Job;
import dev.gyre.server.jobs.JobQueue;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import org.eclipse.jetty.io.EofException;

/** The image endpoints: they queue a job, forward its events, and cancel it when the client disconnects. */
final class ImagesApi {
    /** How often the connection is checked. */
    private static final Duration LOOK = Duration.ofMillis(200);

    /** How long a stream may be silent. */
    private static final Duration SILENCE = Duration.ofSeconds(10);

    private final ImageRequestParser reader;
    private final BodyReader bodies;
    private final JobQueue queue;
    private final Results results;
    private final Metrics metrics;

    ImagesApi(ImageRequestParser reader, BodyReader bodies, JobQueue queue, Results results, Metrics metrics) {
        this.reader = reader;
        this.bodies = bodies;
        this.queue = queue;
        this.results = results;
        this.metrics = metrics;
    }

    void answer(ImageRequest.Kind kind, Exchange exchange) throws IOException, InterruptedException {
        ImageRequest call = reader.read(kind, bodies.read(exchange));
        Job job = submit(call);
        try {
            if (call.stream()) stream(call, job, exchange);
            else whole(call, job, exchange);
        } finally {
            job.cancel(); // no effect on a finished job
        }
    }

    private Job submit(ImageRequest call) {
        try {
            return queue.submit(call.order());
        } catch (JobQueue.Full full) {
            metrics.rejected();
            throw ApiError.busy(full.retryAfter(), "The queue is full. Try again later.");
        } catch (JobQueue.Closed closed) {
            throw ApiError.stopping();
        }
    }

    private void whole(ImageRequest call, Job job, Exchange exchange) throws IOException, InterruptedException {
        ObjectNode[] entries = new ObjectNode[call.order().request().batch()];
        String size = "";
        Set<String> notes = new LinkedHashSet<>(call.notes());
        while (true) {
            Optional<Event> next = next(job, exchange);
            if (next.isEmpty()) continue;
            switch (next.get()) {
                case Event.Note note -> notes.add(note.sentence());
                case Event.Drawn drawn -> {
                    entries[drawn.index()] = results.entry(call, drawn.picture(), exchange);
                    size = drawn.picture().width() + "x" + drawn.picture().height();
                }
                case Event.Failed failed -> throw error(failed.cause());
                case Event.Finished f -> {
                    exchange.send(200, results.answer(call, List.of(entries), size, notes));
                    return;
                }
                default -> {}
            }
        }
    }

    /** The job's next event, if any; fails when the client has disconnected or the time is over. */
    private static Optional<Event> next(Job job, Exchange exchange) throws IOException, InterruptedException {
        Optional<Event> next = job.next(LOOK);
        if (exchange.clientGone()) throw new EofException("the client has gone");
        if (job.isLate()) throw ApiError.timeout("The picture took longer than requests may take.");
        return next;
    }

    private void stream(ImageRequest call, Job job, Exchange exchange) throws IOException, InterruptedException {
        Events events = exchange.events();
        Set<String> notes = new LinkedHashSet<>(call.notes());
        long last = System.nanoTime();
        try {
            while (true) {
                Optional<Event> next = next(job, exchange);
                if (next.isPresent()) {
                    if (tell(call, next.get(), notes, events)) break;
                    last = System.nanoTime();
                } else if (System.nanoTime() - last > SILENCE.toNanos()) {
                    events.alive();
                    last = System.nanoTime();
                }
            }
        } catch (ApiError e) {
            // The status has been sent already.
            events.send("error", e.json());
        }
        events.end();
    }

    /** @return whether it was the last event */
    private boolean tell(ImageRequest call, Event event, Set<String> notes, Events events) throws IOException {
        String prefix = call.kind().event();
        switch (event) {
            case Event.Waiting waiting -> {
                if (call.progress()) send(events, prefix + ".queued", body -> body.put("position", waiting.position()));
            }
            case Event.Started s -> {
                if (call.progress()) send(events, prefix + ".started", body -> {});
            }
            case Event.Stepped stepped -> {
                if (call.progress()) send(events, prefix + ".progress", results.progress(stepped));
            }
            case Event.Note note -> notes.add(note.sentence());
            case Event.Look look -> send(events, prefix + ".partial_image", results.look(look));
            case Event.Drawn drawn -> send(events, prefix + ".completed", results.completed(call, drawn, notes));
            case Event.Failed failed -> throw error(failed.cause());
            case Event.Finished f -> {
                return true;
            }
        }
        return false;
    }

    /** Fills in a body. */
    @FunctionalInterface
    interface Body {
        void to(ObjectNode body) throws IOException;
    }

    private static void send(Events events, String name, Body fill) throws IOException {
        ObjectNode body = JsonNodeFactory.instance.objectNode().put("type", name);
        fill.to(body);
        events.send(name, body);
    }

    private static ApiError error(Throwable cause) {
        return switch (cause) {
            case ApiError e -> e;
            case IllegalArgumentException e -> ModelError.of(e);
            case JobQueue.Closed e -> ApiError.stopping();
            case CancellationException e -> ApiError.stopping();
            case OutOfMemoryError e -> ApiError.internal("There is not enough memory to draw this: " + e.getMessage());
            default -> ModelError.internal(cause);
        };
    }
}
