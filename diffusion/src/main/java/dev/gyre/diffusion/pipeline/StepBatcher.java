package dev.gyre.diffusion.pipeline;

import dev.gyre.diffusion.output.Picture;
import dev.gyre.diffusion.output.Progress;
import dev.gyre.diffusion.request.Request;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;

/**
 * Requests side by side. Each has a thread, and one of them works at a time: whoever holds the model's monitor. One that needs the UNet
 * waits until all need it; then one run serves them all, which takes less time than a run for each where pictures are small. Every result
 * is the same to the bit as alone, and so are the pictures.
 */
public final class StepBatcher {
    /** A request's evaluation of the UNet, and its result. */
    private static final class Evaluation {
        private final Denoiser denoiser;
        private final float[] x;
        private final float[] timesteps;
        private final Condition condition;
        private float[] result;
        private Throwable failure; // unchecked

        Evaluation(Denoiser denoiser, float[] x, float[] timesteps, Condition condition) {
            this.denoiser = denoiser;
            this.x = x;
            this.timesteps = timesteps;
            this.condition = condition;
        }
    }

    private final LoadedModel model;
    private final Object monitor;
    private final List<Evaluation> pending = new ArrayList<>();
    private final Map<Object, Boolean> fits =
            new HashMap<>(); // whether there is memory for a run, by batch key and size
    private int running; // threads that have not finished

    /** @param monitor whoever holds it runs the model */
    public StepBatcher(LoadedModel model, Object monitor) {
        this.model = model;
        this.monitor = monitor;
    }

    /** Runs all; whatever ends one of them early, the others go on. */
    public List<Future<List<Picture>>> generate(List<Request> requests, List<Progress> listeners)
            throws InterruptedException {
        List<FutureTask<List<Picture>>> tasks = new ArrayList<>();
        for (int i = 0; i < requests.size(); i++) {
            Request request = requests.get(i);
            Progress listener = listeners.get(i);
            tasks.add(new FutureTask<>(inTurn(() -> new Generation(model, request, listener, this).run())));
        }
        running = tasks.size();
        List<Thread> threads = new ArrayList<>();
        for (FutureTask<List<Picture>> task : tasks)
            threads.add(Thread.ofPlatform().name("gyre-running").start(task));
        boolean interrupted = false;
        for (int i = 0; i < threads.size(); )
            try {
                threads.get(i).join();
                i++;
            } catch (InterruptedException e) {
                interrupted = true;
                threads.forEach(Thread::interrupt); // and waits for them: nothing may go on after this returns
            }
        if (interrupted) throw new InterruptedException();
        return List.copyOf(tasks);
    }

    private Callable<List<Picture>> inTurn(Callable<List<Picture>> running) {
        return () -> {
            synchronized (monitor) {
                try {
                    return running.call();
                } finally {
                    end();
                }
            }
        };
    }

    /** The UNet's prediction, as {@link Denoiser#predict} has it. */
    float[] evaluate(Denoiser denoiser, float[] x, float[] timesteps, Condition condition) {
        Evaluation evaluation = new Evaluation(denoiser, x, timesteps, condition);
        pending.add(evaluation);
        if (pending.size() == running) run();
        try {
            while (evaluation.result == null && evaluation.failure == null) monitor.wait();
        } catch (InterruptedException e) {
            pending.remove(evaluation);
            throw new CancellationException("interrupted");
        }
        if (evaluation.failure instanceof Error error) throw error;
        if (evaluation.failure != null) throw (RuntimeException) evaluation.failure;
        return evaluation.result;
    }

    private void end() {
        running--;
        if (!pending.isEmpty() && pending.size() == running) run();
    }

    private void run() {
        Map<Object, List<Evaluation>> alike = new LinkedHashMap<>();
        for (Evaluation q : pending) {
            int tokens = q.condition.states().length / q.timesteps.length;
            alike.computeIfAbsent(List.of(q.denoiser.batchKey(), tokens), k -> new ArrayList<>())
                    .add(q);
        }
        pending.clear();
        alike.values().forEach(this::run);
        monitor.notifyAll();
    }

    private void run(List<Evaluation> group) {
        float[] x = Condition.joined(group.stream().map(q -> q.x).toList());
        float[] timesteps =
                Condition.joined(group.stream().map(q -> q.timesteps).toList());
        Condition condition = Condition.of(group.stream().map(q -> q.condition).toList());
        Denoiser denoiser = group.getFirst().denoiser;
        if (group.size() > 1 && !fits(denoiser, timesteps.length, condition)) {
            runApart(group);
            return;
        }
        try {
            float[] all = denoiser.predictBatch(x, timesteps, condition);
            int at = 0;
            for (Evaluation q : group) q.result = Arrays.copyOfRange(all, at, at += q.x.length);
        } catch (RuntimeException | Error e) {
            // One that fails must not fail the others.
            if (group.size() > 1) runApart(group);
            else group.getFirst().failure = e;
        }
    }

    private void runApart(List<Evaluation> group) {
        for (Evaluation q : group) run(List.of(q));
    }

    private boolean fits(Denoiser denoiser, int batch, Condition condition) {
        List<Object> key = List.of(denoiser.batchKey(), batch, condition.states().length);
        return fits.computeIfAbsent(key, k -> denoiser.fits(batch, condition));
    }
}
