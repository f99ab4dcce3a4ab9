package dev.gyre.core;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/**
 * One kernel of an op: a public static method, its range and its arguments. The kernel's first two parameters are
 * {@code begin} and {@code count}: on the JVM the range is divided into pieces, with one call for each; on a device the
 * whole range is one task. Alternatively, on devices only, a kernel of work groups, whose first parameter is a
 * {@code KernelContext}.
 *
 * <p>An argument is an {@code Integer} or {@code Float}, which a device compiles in; a {@link Value}, which the kernel
 * receives as a {@code FloatArray} ({@code IntArray} when the value is I32, {@code HalfFloatArray} for F16 scratch); or
 * a weight in {@link DevicePanels}.
 *
 * @param range iterations of the kernel's parallel loop; for work groups, threads in total
 * @param group threads of a work group; 0 for a parallel loop
 * @param kernel the method reference, one of {@code TornadoFunctions.Task3} to {@code Task20}, or a {@link VendorCall}
 * @param arguments those after {@code begin} and {@code count}, or after the context; all arguments of a library
 *     function
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
            throw new IllegalArgumentException(
                    "the kernel takes " + expected + " arguments after its context, got " + arguments.length);
        return of(groups * threads, threads, kernel, arguments);
    }

    /** A call of a vendor library's function with all of its arguments, for devices only. */
    public static KernelCall vendor(VendorCall call, Object... arguments) {
        return of(0, 0, call, arguments);
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

    /** The kernel's method name, or the library function's, as profiles show it. */
    public String name() {
        return kernel instanceof VendorCall call ? call.function() : KernelName.of(kernel);
    }

    /** Runs iterations {@code begin} to {@code begin + count - 1} with arguments from {@link #bind}. */
    public void call(int begin, int count, Object[] arguments) {
        Kernel.run(kernel, begin, count, arguments);
    }
}
