package dev.gyre.nn.check;

/** The ops in double precision, straight from their formulas. */
final class ReferenceOps {
    private ReferenceOps() {}

    static double[] linear(double[] x, double[] w, double[] b, int rows, int in, int out) {
        double[] y = new double[rows * out];
        for (int r = 0; r < rows; r++)
            for (int o = 0; o < out; o++) {
                double sum = b[o];
                for (int i = 0; i < in; i++) sum += x[r * in + i] * w[o * in + i];
                y[r * out + o] = sum;
            }
        return y;
    }

    /** Scatters every input pixel to the outputs it contributes to, unlike the op's own definition, which gathers. */
    static double[] conv2d(double[] x, double[] w, double[] b, int[] s) {
        int batch = s[0], in = s[1], height = s[2], width = s[3], out = s[4], kernel = s[5], stride = s[6];
        int before = s[7], after = s[8];
        int rows = (height + before + after - kernel) / stride + 1,
                columns = (width + before + after - kernel) / stride + 1;
        double[] y = new double[batch * out * rows * columns];
        for (int n = 0; n < batch; n++)
            for (int o = 0; o < out; o++)
                for (int i = 0; i < rows * columns; i++) y[(n * out + o) * rows * columns + i] = b[o];
        for (int n = 0; n < batch; n++)
            for (int c = 0; c < in; c++)
                for (int h = 0; h < height; h++)
                    for (int l = 0; l < width; l++)
                        for (int u = 0; u < kernel; u++)
                            for (int v = 0; v < kernel; v++) {
                                int row = h + before - u, column = l + before - v;
                                if (row < 0 || column < 0 || row % stride != 0 || column % stride != 0) continue;
                                row /= stride;
                                column /= stride;
                                if (row >= rows || column >= columns) continue;
                                for (int o = 0; o < out; o++)
                                    y[((n * out + o) * rows + row) * columns + column] +=
                                            x[((n * in + c) * height + h) * width + l]
                                                    * w[((o * in + c) * kernel + u) * kernel + v];
                            }
        return y;
    }

    static double[] groupNorm(double[] x, double[] w, double[] b, int[] s, double epsilon) {
        int channels = s[1], pixels = s[2] * s[3], run = channels / s[4] * pixels;
        double[] y = new double[x.length];
        for (int from = 0; from < x.length; from += run) {
            double[] moments = moments(x, from, run, epsilon);
            for (int i = from; i < from + run; i++) {
                int channel = i / pixels % channels;
                y[i] = (x[i] - moments[0]) * moments[1] * w[channel] + b[channel];
            }
        }
        return y;
    }

    static double[] layerNorm(double[] x, double[] w, double[] b, int rows, int width) {
        double[] y = new double[x.length];
        for (int r = 0; r < rows; r++) {
            double[] moments = moments(x, r * width, width, 1e-5f);
            for (int j = 0; j < width; j++)
                y[r * width + j] = (x[r * width + j] - moments[0]) * moments[1] * w[j] + b[j];
        }
        return y;
    }

    private static double[] moments(double[] x, int from, int n, double epsilon) {
        double mean = 0, squares = 0;
        for (int i = from; i < from + n; i++) mean += x[i] / n;
        for (int i = from; i < from + n; i++) squares += (x[i] - mean) * (x[i] - mean) / n;
        return new double[] {mean, 1 / Math.sqrt(squares + epsilon)};
    }

    static double[] attention(double[] q, double[] k, double[] v, int[] s, boolean causal) {
        int queries = s[1], keys = s[2], heads = s[3], depth = s[4], width = heads * depth;
        double[] y = new double[q.length];
        for (int b = 0; b < s[0]; b++)
            for (int h = 0; h < heads; h++)
                for (int i = 0; i < queries; i++) {
                    double[] p = new double[keys];
                    double sum = 0;
                    for (int j = 0; j < keys && (!causal || j <= i); j++) {
                        double score = 0;
                        for (int c = 0; c < depth; c++)
                            score += q[(b * queries + i) * width + h * depth + c]
                                    * k[(b * keys + j) * width + h * depth + c];
                        sum += p[j] = Math.exp(score / Math.sqrt(depth));
                    }
                    for (int j = 0; j < keys; j++)
                        for (int c = 0; c < depth; c++)
                            y[(b * queries + i) * width + h * depth + c] +=
                                    p[j] / sum * v[(b * keys + j) * width + h * depth + c];
                }
        return y;
    }

    static double gelu(double v) {
        return 0.5 * v * (1 + erf(v / Math.sqrt(2)));
    }

    /** The power series of erf; its terms alternate, and for |x| ≤ 5 a double keeps an error below 1e-7. */
    static double erf(double x) {
        if (Math.abs(x) > 5) return Math.signum(x);
        double term = x, sum = x;
        for (int n = 1; n < 120; n++) {
            term *= -x * x / n;
            sum += term / (2 * n + 1);
        }
        return sum * 2 / Math.sqrt(Math.PI);
    }

    static double[] geglu(double[] x, int width) {
        double[] y = new double[x.length / 2];
        for (int i = 0; i < y.length; i++) {
            int row = i / width, j = i % width;
            y[i] = x[row * 2 * width + j] * gelu(x[row * 2 * width + width + j]);
        }
        return y;
    }

    static double[] concat(double[] a, double[] b, int batch, int first, int second) {
        double[] y = new double[a.length + b.length];
        for (int n = 0; n < batch; n++) {
            System.arraycopy(a, n * first, y, n * (first + second), first);
            System.arraycopy(b, n * second, y, n * (first + second) + first, second);
        }
        return y;
    }

    static double[] circularPad(double[] x, int[] s) {
        int planes = s[0] * s[1], height = s[2], width = s[3], by = s[4];
        double[] y = new double[planes * (height + 2 * by) * (width + 2 * by)];
        int i = 0;
        for (int plane = 0; plane < planes; plane++)
            for (int row = -by; row < height + by; row++)
                for (int column = -by; column < width + by; column++)
                    y[i++] = x[(plane * height + Math.floorMod(row, height)) * width + Math.floorMod(column, width)];
        return y;
    }

    static double[] upsample(double[] x, int[] s) {
        double[] y = new double[s[0] * s[1] * s[4] * s[5]];
        for (int plane = 0; plane < s[0] * s[1]; plane++)
            for (int r = 0; r < s[4]; r++)
                for (int c = 0; c < s[5]; c++)
                    y[(plane * s[4] + r) * s[5] + c] = x[
                            (plane * s[2] + (int) Math.floor((double) r * s[2] / s[4])) * s[3]
                                    + (int) Math.floor((double) c * s[3] / s[5])];
        return y;
    }

    static double[] transpose(double[] x, int batch, int rows, int columns) {
        double[] y = new double[x.length];
        for (int b = 0; b < batch; b++)
            for (int r = 0; r < rows; r++)
                for (int c = 0; c < columns; c++) y[(b * columns + c) * rows + r] = x[(b * rows + r) * columns + c];
        return y;
    }

    static double[] timestepEmbedding(double[] t, int width) {
        double[] y = new double[t.length * width];
        for (int b = 0; b < t.length; b++)
            for (int k = 0; k < width / 2; k++) {
                double angle = t[b] * Math.exp(-Math.log(10000) * k / (width / 2));
                y[b * width + k] = Math.cos(angle);
                y[b * width + width / 2 + k] = Math.sin(angle);
            }
        return y;
    }

    /** x + a, where every element of a is added to {@code each} elements of x. */
    static double[] sum(double[] x, double[] a, int each) {
        double[] y = new double[x.length];
        for (int i = 0; i < y.length; i++) y[i] = x[i] + a[i / each];
        return y;
    }
}
