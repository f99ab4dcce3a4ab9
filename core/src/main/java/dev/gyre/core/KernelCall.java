package dev.gyre.core;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.*;

/**
 * One loop nest of an op: a public static kernel, its range and its arguments. The kernel's first two parameters are {@code begin}
 * and {@code count}: on the JVM the range is cut into pieces and the kernel called once for each, on a device it is handed over
 * whole as a task. Or, on devices alone, a kernel of threads in groups that share memory: its first parameter is a {@code
 * KernelContext}.
 *
 * <p>An argument is an {@code Integer} or {@code Float}, which a device compiles in, a {@link Value}, which the kernel sees as a
 * {@code FloatArray} ({@code IntArray} when the value is I32, {@code HalfFloatArray} for scratch of F16), or a weight in {@link DevicePanels}.
 *
 * @param range the iterations of the kernel's parallel loop; the number of threads, when they come in groups
 * @param group threads of a group; 0 for a parallel loop
 * @param kernel the method reference, one of {@code TornadoFunctions.Task3} to {@code Task20}, or a {@link VendorCall}
 * @param arguments what follows {@code begin} and {@code count}, or the context; all of a library's function's
 */
public record KernelCall(int range, int group, Object kernel, List<Object> arguments) {
    private static KernelCall step(int range, Object kernel, Object... arguments) {
        return step(range, 0, kernel, arguments);
    }

    private static KernelCall step(int range, int group, Object kernel, Object... arguments) {
        for (Object argument : arguments)
            if (!(argument instanceof Value
                    || argument instanceof DevicePanels
                    || argument instanceof Integer
                    || argument instanceof Float))
                throw new IllegalArgumentException(
                        "a kernel's argument is a Value, Panels, an Integer or a Float, got " + argument);
        return new KernelCall(range, group, kernel, List.copyOf(Arrays.asList(arguments)));
    }

    /** The values among the arguments. */
    public List<Value> values() {
        List<Value> values = new ArrayList<>();
        for (Object argument : arguments) if (argument instanceof Value value) values.add(value);
        return values;
    }

    /** The arguments with each value, and each weight in panels, replaced by its array. */
    public Object[] bind(Function<Value, Object> arrays, Function<DevicePanels, Object> panels) {
        return arguments.stream()
                .map(a -> a instanceof Value value
                        ? arrays.apply(value)
                        : a instanceof DevicePanels weight ? panels.apply(weight) : a)
                .toArray();
    }

    /** The kernel's own name, as a device's profile shows it, or that of a library's function. */
    public String name() {
        return kernel instanceof VendorCall call ? call.function() : KernelName.of(kernel);
    }

    /** Runs iterations {@code begin} to {@code begin + count - 1} with arguments from {@link #bind}. */
    // The types were checked when the step was made: of(…) takes a kernel of as many parameters as arguments.
    @SuppressWarnings({"unchecked", "rawtypes"})
    public void call(int begin, int count, Object[] a) {
        switch (a.length) {
            case 1 -> ((Task3) kernel).apply(begin, count, a[0]);
            case 2 -> ((Task4) kernel).apply(begin, count, a[0], a[1]);
            case 3 -> ((Task5) kernel).apply(begin, count, a[0], a[1], a[2]);
            case 4 -> ((Task6) kernel).apply(begin, count, a[0], a[1], a[2], a[3]);
            case 5 -> ((Task7) kernel).apply(begin, count, a[0], a[1], a[2], a[3], a[4]);
            case 6 -> ((Task8) kernel).apply(begin, count, a[0], a[1], a[2], a[3], a[4], a[5]);
            case 7 -> ((Task9) kernel).apply(begin, count, a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
            case 8 -> ((Task10) kernel).apply(begin, count, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
            case 9 -> ((Task11) kernel).apply(begin, count, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8]);
            case 10 ->
                ((Task12) kernel).apply(begin, count, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9]);
            case 11 ->
                ((Task13) kernel)
                        .apply(begin, count, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10]);
            case 12 ->
                ((Task14) kernel)
                        .apply(begin, count, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11]);
            case 13 ->
                ((Task15) kernel)
                        .apply(
                                begin, count, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11],
                                a[12]);
            case 14 ->
                ((Task16) kernel)
                        .apply(
                                begin, count, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11],
                                a[12], a[13]);
            case 15 ->
                ((Task17) kernel)
                        .apply(
                                begin, count, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11],
                                a[12], a[13], a[14]);
            case 16 ->
                ((Task18) kernel)
                        .apply(
                                begin, count, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11],
                                a[12], a[13], a[14], a[15]);
            case 17 ->
                ((Task19) kernel)
                        .apply(
                                begin, count, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11],
                                a[12], a[13], a[14], a[15], a[16]);
            case 18 ->
                ((Task20) kernel)
                        .apply(
                                begin, count, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11],
                                a[12], a[13], a[14], a[15], a[16], a[17]);
            default -> throw new IllegalStateException("a kernel has 1 to 18 arguments, got " + a.length);
        }
    }

    /** A step of {@code groups} groups of {@code threads} threads, whose kernel has this many parameters, the context included. */
    public static <B, C, D, E, F, G> KernelCall groups(
            int groups, int threads, Task7<KernelContext, B, C, D, E, F, G> kernel, Object... arguments) {
        return step(groups * threads, threads, kernel, arguments);
    }

    /** Likewise: 8 parameters. */
    public static <B, C, D, E, F, G, H> KernelCall groups(
            int groups, int threads, Task8<KernelContext, B, C, D, E, F, G, H> kernel, Object... arguments) {
        return step(groups * threads, threads, kernel, arguments);
    }

    /** Likewise: 9 parameters. */
    public static <B, C, D, E, F, G, H, I> KernelCall groups(
            int groups, int threads, Task9<KernelContext, B, C, D, E, F, G, H, I> kernel, Object... arguments) {
        return step(groups * threads, threads, kernel, arguments);
    }

    /** Likewise: 10 parameters. */
    public static <B, C, D, E, F, G, H, I, J> KernelCall groups(
            int groups, int threads, Task10<KernelContext, B, C, D, E, F, G, H, I, J> kernel, Object... arguments) {
        return step(groups * threads, threads, kernel, arguments);
    }

    /** Likewise: 11 parameters. */
    public static <B, C, D, E, F, G, H, I, J, K> KernelCall groups(
            int groups, int threads, Task11<KernelContext, B, C, D, E, F, G, H, I, J, K> kernel, Object... arguments) {
        return step(groups * threads, threads, kernel, arguments);
    }

    /** Likewise: 12 parameters. */
    public static <B, C, D, E, F, G, H, I, J, K, L> KernelCall groups(
            int groups,
            int threads,
            Task12<KernelContext, B, C, D, E, F, G, H, I, J, K, L> kernel,
            Object... arguments) {
        return step(groups * threads, threads, kernel, arguments);
    }

    /** Likewise: 13 parameters. */
    public static <B, C, D, E, F, G, H, I, J, K, L, M> KernelCall groups(
            int groups,
            int threads,
            Task13<KernelContext, B, C, D, E, F, G, H, I, J, K, L, M> kernel,
            Object... arguments) {
        return step(groups * threads, threads, kernel, arguments);
    }

    /** Likewise: 14 parameters. */
    public static <B, C, D, E, F, G, H, I, J, K, L, M, N> KernelCall groups(
            int groups,
            int threads,
            Task14<KernelContext, B, C, D, E, F, G, H, I, J, K, L, M, N> kernel,
            Object... arguments) {
        return step(groups * threads, threads, kernel, arguments);
    }

    /** Likewise: 15 parameters. */
    public static <B, C, D, E, F, G, H, I, J, K, L, M, N, O> KernelCall groups(
            int groups,
            int threads,
            Task15<KernelContext, B, C, D, E, F, G, H, I, J, K, L, M, N, O> kernel,
            Object... arguments) {
        return step(groups * threads, threads, kernel, arguments);
    }

    /** Likewise: 16 parameters. */
    public static <B, C, D, E, F, G, H, I, J, K, L, M, N, O, P> KernelCall groups(
            int groups,
            int threads,
            Task16<KernelContext, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P> kernel,
            Object... arguments) {
        return step(groups * threads, threads, kernel, arguments);
    }

    /** Likewise: 17 parameters. */
    public static <B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q> KernelCall groups(
            int groups,
            int threads,
            Task17<KernelContext, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q> kernel,
            Object... arguments) {
        return step(groups * threads, threads, kernel, arguments);
    }

    /** A step that a native library does, on devices alone: its arguments are all that the function takes. */
    public static KernelCall library(VendorCall call, Object... arguments) {
        return step(0, call, arguments);
    }

    /** A step whose kernel has this many parameters after {@code begin} and {@code count}. */
    public static <A> KernelCall of(int range, Task3<Integer, Integer, A> kernel, Object a) {
        return step(range, kernel, a);
    }

    /** Likewise: 2 arguments. */
    public static <A, B> KernelCall of(int range, Task4<Integer, Integer, A, B> kernel, Object a, Object b) {
        return step(range, kernel, a, b);
    }

    /** Likewise: 3 arguments. */
    public static <A, B, C> KernelCall of(
            int range, Task5<Integer, Integer, A, B, C> kernel, Object a, Object b, Object c) {
        return step(range, kernel, a, b, c);
    }

    /** Likewise: 4 arguments. */
    public static <A, B, C, D> KernelCall of(
            int range, Task6<Integer, Integer, A, B, C, D> kernel, Object a, Object b, Object c, Object d) {
        return step(range, kernel, a, b, c, d);
    }

    /** Likewise: 5 arguments. */
    public static <A, B, C, D, E> KernelCall of(
            int range,
            Task7<Integer, Integer, A, B, C, D, E> kernel,
            Object a,
            Object b,
            Object c,
            Object d,
            Object e) {
        return step(range, kernel, a, b, c, d, e);
    }

    /** Likewise: 6 arguments. */
    public static <A, B, C, D, E, F> KernelCall of(
            int range,
            Task8<Integer, Integer, A, B, C, D, E, F> kernel,
            Object a,
            Object b,
            Object c,
            Object d,
            Object e,
            Object f) {
        return step(range, kernel, a, b, c, d, e, f);
    }

    /** Likewise: 7 arguments. */
    public static <A, B, C, D, E, F, G> KernelCall of(
            int range,
            Task9<Integer, Integer, A, B, C, D, E, F, G> kernel,
            Object a,
            Object b,
            Object c,
            Object d,
            Object e,
            Object f,
            Object g) {
        return step(range, kernel, a, b, c, d, e, f, g);
    }

    /** Likewise: 8 arguments. */
    public static <A, B, C, D, E, F, G, H> KernelCall of(
            int range,
            Task10<Integer, Integer, A, B, C, D, E, F, G, H> kernel,
            Object a,
            Object b,
            Object c,
            Object d,
            Object e,
            Object f,
            Object g,
            Object h) {
        return step(range, kernel, a, b, c, d, e, f, g, h);
    }

    /** Likewise: 9 arguments. */
    public static <A, B, C, D, E, F, G, H, I> KernelCall of(
            int range,
            Task11<Integer, Integer, A, B, C, D, E, F, G, H, I> kernel,
            Object a,
            Object b,
            Object c,
            Object d,
            Object e,
            Object f,
            Object g,
            Object h,
            Object i) {
        return step(range, kernel, a, b, c, d, e, f, g, h, i);
    }

    /** Likewise: 10 arguments. */
    public static <A, B, C, D, E, F, G, H, I, J> KernelCall of(
            int range,
            Task12<Integer, Integer, A, B, C, D, E, F, G, H, I, J> kernel,
            Object a,
            Object b,
            Object c,
            Object d,
            Object e,
            Object f,
            Object g,
            Object h,
            Object i,
            Object j) {
        return step(range, kernel, a, b, c, d, e, f, g, h, i, j);
    }

    /** Likewise: 11 arguments. */
    public static <A, B, C, D, E, F, G, H, I, J, K> KernelCall of(
            int range,
            Task13<Integer, Integer, A, B, C, D, E, F, G, H, I, J, K> kernel,
            Object a,
            Object b,
            Object c,
            Object d,
            Object e,
            Object f,
            Object g,
            Object h,
            Object i,
            Object j,
            Object k) {
        return step(range, kernel, a, b, c, d, e, f, g, h, i, j, k);
    }

    /** Likewise: 12 arguments. */
    public static <A, B, C, D, E, F, G, H, I, J, K, L> KernelCall of(
            int range,
            Task14<Integer, Integer, A, B, C, D, E, F, G, H, I, J, K, L> kernel,
            Object a,
            Object b,
            Object c,
            Object d,
            Object e,
            Object f,
            Object g,
            Object h,
            Object i,
            Object j,
            Object k,
            Object l) {
        return step(range, kernel, a, b, c, d, e, f, g, h, i, j, k, l);
    }

    /** Likewise: 13 arguments. */
    public static <A, B, C, D, E, F, G, H, I, J, K, L, M> KernelCall of(
            int range,
            Task15<Integer, Integer, A, B, C, D, E, F, G, H, I, J, K, L, M> kernel,
            Object a,
            Object b,
            Object c,
            Object d,
            Object e,
            Object f,
            Object g,
            Object h,
            Object i,
            Object j,
            Object k,
            Object l,
            Object m) {
        return step(range, kernel, a, b, c, d, e, f, g, h, i, j, k, l, m);
    }

    /** Likewise: 14 arguments. */
    public static <A, B, C, D, E, F, G, H, I, J, K, L, M, N> KernelCall of(
            int range,
            Task16<Integer, Integer, A, B, C, D, E, F, G, H, I, J, K, L, M, N> kernel,
            Object a,
            Object b,
            Object c,
            Object d,
            Object e,
            Object f,
            Object g,
            Object h,
            Object i,
            Object j,
            Object k,
            Object l,
            Object m,
            Object n) {
        return step(range, kernel, a, b, c, d, e, f, g, h, i, j, k, l, m, n);
    }

    /** Likewise: 15 arguments. */
    public static <A, B, C, D, E, F, G, H, I, J, K, L, M, N, O> KernelCall of(
            int range,
            Task17<Integer, Integer, A, B, C, D, E, F, G, H, I, J, K, L, M, N, O> kernel,
            Object a,
            Object b,
            Object c,
            Object d,
            Object e,
            Object f,
            Object g,
            Object h,
            Object i,
            Object j,
            Object k,
            Object l,
            Object m,
            Object n,
            Object o) {
        return step(range, kernel, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o);
    }

    /** Likewise: 16 arguments. */
    public static <A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P> KernelCall of(
            int range,
            Task18<Integer, Integer, A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P> kernel,
            Object a,
            Object b,
            Object c,
            Object d,
            Object e,
            Object f,
            Object g,
            Object h,
            Object i,
            Object j,
            Object k,
            Object l,
            Object m,
            Object n,
            Object o,
            Object p) {
        return step(range, kernel, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);
    }

    /** Likewise: 17 arguments. */
    public static <A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q> KernelCall of(
            int range,
            Task19<Integer, Integer, A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q> kernel,
            Object a,
            Object b,
            Object c,
            Object d,
            Object e,
            Object f,
            Object g,
            Object h,
            Object i,
            Object j,
            Object k,
            Object l,
            Object m,
            Object n,
            Object o,
            Object p,
            Object q) {
        return step(range, kernel, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q);
    }

    /** Likewise: 18 arguments. */
    public static <A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R> KernelCall of(
            int range,
            Task20<Integer, Integer, A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R> kernel,
            Object a,
            Object b,
            Object c,
            Object d,
            Object e,
            Object f,
            Object g,
            Object h,
            Object i,
            Object j,
            Object k,
            Object l,
            Object m,
            Object n,
            Object o,
            Object p,
            Object q,
            Object r) {
        return step(range, kernel, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r);
    }
}
