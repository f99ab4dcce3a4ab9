package dev.gyre.machine.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.gyre.machine.Feature;
import dev.gyre.machine.NativeCode;
import dev.gyre.machine.assembler.Code;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.Arrays;
import java.util.List;

/**
 * Code for tests to call: emulated everywhere, and also executed where the processor supports it. Both must give the
 * same bits.
 */
final class Placed {
    private final Code code;
    private final Emulator emulator;
    private final MethodHandle processor; // or null

    private Placed(Code code, MethodHandle processor) {
        this.code = code;
        this.emulator = new Emulator(code);
        this.processor = processor;
    }

    /** @param feature the feature that the code requires */
    static MethodHandle on(Feature feature, Code code, MemoryLayout... arguments) {
        FunctionDescriptor type = FunctionDescriptor.ofVoid(arguments);
        MethodType all = MethodType.methodType(void.class, Object[].class);
        MethodHandle processor = !NativeCode.HERE.has(feature)
                ? null
                : NativeCode.HERE
                        .place(code, type)
                        .asSpreader(Object[].class, arguments.length)
                        .asType(all);
        try {
            return MethodHandles.lookup()
                    .bind(new Placed(code, processor), "call", all)
                    .asCollector(Object[].class, arguments.length)
                    .asType(type.toMethodType());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private void call(Object[] arguments) throws Throwable {
        List<MemorySegment> buffers = Arrays.stream(arguments)
                .filter(MemorySegment.class::isInstance)
                .map(MemorySegment.class::cast)
                .toList();
        List<byte[]> before = contents(buffers);
        emulator.call(arguments);
        if (processor == null) return;
        List<byte[]> emulated = contents(buffers);
        for (int i = 0; i < before.size(); i++)
            MemorySegment.copy(before.get(i), 0, buffers.get(i), ValueLayout.JAVA_BYTE, 0, before.get(i).length);
        processor.invokeExact(arguments);
        // The intermediate rounding of a bf16 dot product depends on the processor.
        if (code.lines().stream().anyMatch(line -> line.text().contains("dpbf16ps"))) return;
        List<byte[]> run = contents(buffers);
        for (int i = 0; i < run.size(); i++)
            assertArrayEquals(run.get(i), emulated.get(i), code.name() + ", emulated: buffer " + i);
    }

    private static List<byte[]> contents(List<MemorySegment> buffers) {
        return buffers.stream().map(b -> b.toArray(ValueLayout.JAVA_BYTE)).toList();
    }
}
