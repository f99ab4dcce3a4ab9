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
 * Drawings side by side. Each has a thread, and one of them works at a time: whoever holds the model's monitor. One that asks the UNet
 * waits until all have asked; then one run answers them all, which takes less time than a run for each where pictures are small. What
 * it answers is to the bit what it would have answered each alone, and so are the pictures.
 */
public final class StepBatcher {
    /** What a drawing asks, and what it is told. */
    private static final class Question {
        private final Denoiser denoiser;
        private final float[] x;
        private final float[] timesteps;
        private final Condition condition;
        private float[] answer;
        private Throwable failure; // unchecked

        Question(Denoiser denoiser, float[] x, float[] timesteps, Condition condition) {
            this.denoiser = denoiser;
            this.x = x;
            this.timesteps = timesteps;
            this.condition = condition;
        }
    }

    private final LoadedModel model;
    private final Object monitor;
    private final List<Question> questions = new ArrayList<>();
    private final Map<Object, Boolean> fits = new HashMap<>(); // whether there is memory for a run, by what it is of
    private int drawing; // threads that have not ended

    /** @param monitor whoever holds it runs the model */
    public StepBatcher(LoadedModel model, Object monitor) {
        this.model = model;
        this.monitor = monitor;
    }

    /** Whatever ends one of them early, the others go on. */
    public List<Future<List<Picture>>> draw(List<Request> requests, List<Progress> listeners)
            throws InterruptedException {
        List<FutureTask<List<Picture>>> tasks = new ArrayList<>();
        for (int i = 0; i < requests.size(); i++) {
            Request request = requests.get(i);
            Progress listener = listeners.get(i);
            tasks.add(new FutureTask<>(inTurn(() -> new Generation(model, request, listener, this).run())));
        }
        drawing = tasks.size();
        List<Thread> threads = new ArrayList<>();
        for (FutureTask<List<Picture>> task : tasks)
            threads.add(Thread.ofPlatform().name("gyre-drawing").start(task));
        boolean interrupted = false;
        for (int i = 0; i < threads.size(); )
            try {
                threads.get(i).join();
                i++;
            } catch (InterruptedException e) {
                interrupted = true;
                threads.forEach(
                        Thread::interrupt); // and they are waited for: nothing may run on behind its caller's back
            }
        if (interrupted) throw new InterruptedException();
        return List.copyOf(tasks);
    }

    private Callable<List<Picture>> inTurn(Callable<List<Picture>> drawing) {
        return () -> {
            synchronized (monitor) {
                try {
                    return drawing.call();
                } finally {
                    end();
                }
            }
        };
    }

    /** The UNet's prediction, as {@link Denoiser#predict} has it. */
    float[] ask(Denoiser denoiser, float[] x, float[] timesteps, Condition condition) {
        Question question = new Question(denoiser, x, timesteps, condition);
        questions.add(question);
        if (questions.size() == drawing) answer();
        try {
            while (question.answer == null && question.failure == null) monitor.wait();
        } catch (InterruptedException e) {
            questions.remove(question);
            throw new CancellationException("interrupted");
        }
        if (question.failure instanceof Error error) throw error;
        if (question.failure != null) throw (RuntimeException) question.failure;
        return question.answer;
    }

    private void end() {
        drawing--;
        if (!questions.isEmpty() && questions.size() == drawing) answer();
    }

    private void answer() {
        Map<Object, List<Question>> alike = new LinkedHashMap<>();
        for (Question q : questions) {
            int tokens = q.condition.states().length / q.timesteps.length;
            alike.computeIfAbsent(List.of(q.denoiser.kind(), tokens), k -> new ArrayList<>())
                    .add(q);
        }
        questions.clear();
        alike.values().forEach(this::answer);
        monitor.notifyAll();
    }

    private void answer(List<Question> group) {
        float[] x = Condition.joined(group.stream().map(q -> q.x).toList());
        float[] timesteps =
                Condition.joined(group.stream().map(q -> q.timesteps).toList());
        Condition condition = Condition.of(group.stream().map(q -> q.condition).toList());
        Denoiser denoiser = group.getFirst().denoiser;
        if (group.size() > 1 && !fits(denoiser, timesteps.length, condition)) {
            answerApart(group);
            return;
        }
        try {
            float[] all = denoiser.predictTogether(x, timesteps, condition);
            int at = 0;
            for (Question q : group) q.answer = Arrays.copyOfRange(all, at, at += q.x.length);
        } catch (RuntimeException | Error e) {
            // Whichever it is that fails, the others are not to suffer.
            if (group.size() > 1) answerApart(group);
            else group.getFirst().failure = e;
        }
    }

    private void answerApart(List<Question> group) {
        for (Question q : group) answer(List.of(q));
    }

    private boolean fits(Denoiser denoiser, int batch, Condition condition) {
        List<Object> key = List.of(denoiser.kind(), batch, condition.states().length);
        return fits.computeIfAbsent(key, k -> denoiser.fits(batch, condition));
    }
}
