package dev.gyre.server.jobs;

import dev.gyre.core.Precision;
import dev.gyre.diffusion.StableDiffusion;
import dev.gyre.diffusion.adapter.Lora;
import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.request.Conditions;
import dev.gyre.diffusion.request.Request;
import dev.gyre.server.models.Loader;
import dev.gyre.server.models.LoraFolder;
import dev.gyre.server.models.ModelFile;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

/** The thread that generates pictures: it takes jobs from the queue and keeps one model loaded. */
public final class Worker {
    private static final System.Logger LOG = System.getLogger(Worker.class.getName());

    private final JobQueue queue;
    private final Loader loader;
    private final LoraFolder folder;
    private final int batch;
    private final Thread thread;
    private final Map<String, Lora> loras = new LinkedHashMap<>(); // open, of the model that is loaded
    private StableDiffusion sd; // null: none is loaded
    private volatile ModelFile loaded; // null: none is loaded
    private Precision precision;

    /**
     * @param first the model that is loaded at the start
     * @param batch the most pictures of a batch
     */
    public Worker(JobQueue queue, Loader loader, LoraFolder folder, ModelFile first, int batch) {
        this.queue = queue;
        this.loader = loader;
        this.folder = folder;
        this.batch = batch;
        thread = Thread.ofPlatform().name("gyre-device").daemon().unstarted(() -> run(first));
    }

    public void start() {
        thread.start();
    }

    /** The loaded model. */
    public Optional<ModelFile> loaded() {
        return Optional.ofNullable(loaded);
    }

    private void run(ModelFile first) {
        try {
            loadFirst(first);
            for (List<Job> jobs = queue.take(batch); !jobs.isEmpty(); jobs = queue.take(batch)) {
                long start = System.nanoTime();
                draw(jobs);
                queue.took(Duration.ofNanos(System.nanoTime() - start));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            unload();
        }
    }

    private void loadFirst(ModelFile first) {
        try {
            use(first, loader.precisions().getFirst());
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
            LOG.log(Level.ERROR, "the model " + first.id() + " could not be loaded", e);
        }
    }

    /** Runs jobs in one batch. */
    private void draw(List<Job> jobs) throws InterruptedException {
        List<Job> drawn = new ArrayList<>();
        List<Request> requests = new ArrayList<>();
        for (Job job : jobs) {
            job.tell(new Event.Started());
            try {
                requests.add(request(job.order()));
                drawn.add(job);
            } catch (IOException | RuntimeException | OutOfMemoryError e) {
                job.tell(new Event.Failed(e));
            }
        }
        if (drawn.isEmpty()) return;
        List<Future<List<Picture>>> pictures = sd.generateTogether(
                requests, drawn.stream().<Progress>map(JobProgress::new).toList());
        for (int i = 0; i < drawn.size(); i++) drawn.get(i).tell(end(pictures.get(i)));
    }

    private static Event end(Future<List<Picture>> pictures) throws InterruptedException {
        try {
            pictures.get();
            return new Event.Finished();
        } catch (ExecutionException e) {
            return new Event.Failed(e.getCause());
        }
    }

    /** The job's request with its LoRAs; loads the model if necessary. */
    private Request request(JobSpec order) throws IOException {
        use(order.model(), order.precision());
        Conditions network = order.request().network();
        for (JobSpec.Lora lora : order.loras()) network = network.lora(open(lora.name()), lora.strength());
        return order.request().with(network);
    }

    private Lora open(String name) throws IOException {
        Lora open = loras.get(name);
        if (open != null) return open;
        Path path =
                folder.find(name).orElseThrow(() -> new IllegalArgumentException("lora: there is none called " + name));
        Lora lora = Lora.open(path);
        loras.put(name, lora);
        return lora;
    }

    private void use(ModelFile model, Precision precision) throws IOException {
        if (model.equals(loaded) && precision.equals(this.precision)) return;
        unload();
        long start = System.nanoTime();
        sd = loader.load(model.path(), precision);
        this.precision = precision;
        loaded = model;
        LOG.log(
                Level.INFO,
                () -> String.format(
                        Locale.ROOT, "loaded the model %s in %.1f s", model.id(), (System.nanoTime() - start) / 1e9));
    }

    private void unload() {
        loaded = null;
        if (sd == null) return;
        for (Lora lora : loras.values()) sd.unload(lora);
        loras.clear();
        sd.close();
        sd = null;
    }

    /** Waits for the thread to end, after the queue is closed and the running job is done. */
    public void join(Duration wait) throws InterruptedException {
        thread.join(wait);
    }
}
