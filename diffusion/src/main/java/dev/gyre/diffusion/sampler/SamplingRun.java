package dev.gyre.diffusion.sampler;

import java.util.concurrent.CancellationException;

/** One run of a sampler, as its steps see it: the noise levels, the model's predictions, and fresh noise. */
public final class SamplingRun {
    private final Sigmas levels;
    private final Sampler.Model model;
    private final Sampler.Noise random;
    private int step;
    private double[] denoised;

    SamplingRun(Sigmas levels, Sampler.Model model, Sampler.Noise random) {
        this.levels = levels;
        this.model = model;
        this.random = random;
    }

    /** Takes all steps from a state at the first level. */
    float[] from(double[] start, Sampler sampler, Sampler.Listener listener) {
        double[] x = start;
        Sampler.Stepper stepper = sampler.stepper(this);
        for (int i = 0; i < steps(); i++) {
            step = i + 1;
            x = stepper.step(i, x);
            listener.step(new Sampler.Progress(step, steps(), sigma(i + 1), x, denoised));
        }
        return levels.end(x);
    }

    /** The number of steps. */
    public int steps() {
        return levels.steps();
    }

    /** σ at level i, 0 to {@link #steps}. */
    public double sigma(int i) {
        return levels.sigma(i);
    }

    /** The timestep at level i. */
    public double timestep(int i) {
        return levels.timesteps()[i];
    }

    /** The noise ε in a state at level i. Also the slope dx/dσ of the probability flow, which papers call d. */
    public double[] epsilon(double[] x, int i) {
        return evaluate(x, sigma(i), timestep(i));
    }

    /** The noise in a state between levels. */
    public double[] epsilonAt(double[] x, double sigma) {
        return evaluate(x, sigma, levels.noise().timestep(sigma));
    }

    /** The predicted clean sample of a state at level i, x − σ ε. */
    public double[] denoised(double[] x, int i) {
        epsilon(x, i);
        return denoised;
    }

    /** The predicted clean sample of a state between levels. */
    public double[] denoisedAt(double[] x, double sigma) {
        epsilonAt(x, sigma);
        return denoised;
    }

    /** Fresh standard normal numbers for a state. */
    public float[] noise(double[] x) {
        return random.next(x.length);
    }

    /** Evaluates the network on x / √(σ² + 1), whose variance is 1. */
    private double[] evaluate(double[] x, double sigma, double timestep) {
        if (Thread.interrupted()) throw new CancellationException("interrupted in step " + step + " of " + steps());
        double scale = 1 / Math.sqrt(sigma * sigma + 1);
        float[] scaled = new float[x.length];
        for (int j = 0; j < x.length; j++) scaled[j] = (float) (x[j] * scale);
        float[] predicted = model.predict(scaled, new Sampler.StepInfo(step, steps(), timestep, sigma));
        double[] epsilon = new double[x.length];
        denoised = new double[x.length];
        model.prediction().solve(predicted, x, sigma, epsilon, denoised);
        return epsilon;
    }
}
