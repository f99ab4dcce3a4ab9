package dev.gyre.core;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/**
 * A kernel, its range and its arguments: one loop nest of an op. A parallel loop's first two parameters are {@code begin} and {@code count}:
 * the JVM splits the range and calls the kernel once per part, a device runs the whole range as one task. A kernel of work groups, for
 * devices only, takes a {@code KernelContext} first. {@link Kernel} creates calls.
 *
 * <p>An argument is an {@code Integer} or a {@code Float}, which a device compiles into the kernel; a {@link Value}, which the kernel sees
 * as a {@code FloatArray} ({@code IntArray} for I32, {@code HalfFloatArray} for F16 scratch); or a weight in {@link DevicePanels}.
 *
 * @param range iterations of the parallel loop, or the total number of threads of all work groups
 * @param group threads in a work group; 0 for a parallel loop
 * @param kernel a method reference, {@code TornadoFunctions.Task3} to {@code Task20}, or a {@link VendorCall}
 * @param arguments the arguments after {@code begin} and {@code count}, or after the context; all arguments of a vendor's function
 */
public record KernelCall(int range, int group, Object kernel, List<Object> arguments) {
    static KernelCall of(int range, int group, Object kernel, Object... arguments) {
        for (Object argument : arguments)
            if (!(argument instanceof Value
                    || argument instanceof DevicePanels
                    || argument instanceof Integer
                    || argument instanceof Float))
                throw new IllegalArgumentException(
                        "a kernel's argument must be a Value, DevicePanels, an Integer or a Float, got " + argument);
        return new KernelCall(range, group, kernel, List.copyOf(Arrays.asList(arguments)));
    }

    static KernelCall ofWorkGroups(int groups, int threads, Object kernel, int expected, Object... arguments) {
        if (arguments.length != expected)
            throw new IllegalArgumentException("the kernel has " + expected + " parameters after its context, got "
                    + arguments.length + " arguments");
        return of(groups * threads, threads, kernel, arguments);
    }

    /** A call of a vendor library's function, for devices only, with all of its arguments. */
    public static KernelCall vendor(VendorCall call, Object... arguments) {
        return of(0, 0, call, arguments);
    }

    /** The values among the arguments. */
    public List<Value> values() {
        List<Value> values = new ArrayList<>();
        for (Object argument : arguments) if (argument instanceof Value value) values.add(value);
        return values;
    }

    /** The arguments, with each value and each weight in panels replaced by its array. */
    public Object[] bind(Function<Value, Object> arrays, Function<DevicePanels, Object> panels) {
        return arguments.stream()
                .map(a -> a instanceof Value value
                        ? arrays.apply(value)
                        : a instanceof DevicePanels weight ? panels.apply(weight) : a)
                .toArray();
    }

    /** The name of the kernel's method, as a device's profile shows it, or of the vendor's function. */
    public String name() {
        return kernel instanceof VendorCall call ? call.function() : KernelName.of(kernel);
    }

    /** Runs iterations {@code begin} to {@code begin + count - 1} with arguments from {@link #bind}. */
    public void call(int begin, int count, Object[] arguments) {
        Kernel.run(kernel, begin, count, arguments);
    }
}
