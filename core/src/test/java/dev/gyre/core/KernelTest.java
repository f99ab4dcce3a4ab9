package dev.gyre.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import javax.tools.JavaCompiler;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

class KernelTest {
    @TempDir
    private Path classes;

    /** As many arguments as the kernel has parameters behind {@code begin} and {@code count}: javac holds the caller to it. */
    @Test
    void aCallWithAWrongNumberOfArgumentsDoesNotCompile() {
        assertTrue(compiles("Kernel.call(4, Calls::scale, 2f, x, y)"));
        assertFalse(compiles("Kernel.call(4, Calls::scale, 2f, x)"));
        assertFalse(compiles("Kernel.call(4, Calls::scale, 2f, x, y, y)"));
    }

    /** Work groups take their arguments as varargs: the call itself counts them. */
    @Test
    void workGroupsWithAWrongNumberOfArgumentsAreRefused() {
        Graph graph = new Graph();
        Value x = graph.input("x", DType.F32, 4);
        assertEquals(4, Kernel.workGroups(2, 2, KernelTest::scale, x, x).range());
        var error =
                assertThrows(IllegalArgumentException.class, () -> Kernel.workGroups(2, 2, KernelTest::scale, x, x, x));
        assertTrue(error.getMessage().contains("2 parameters"), error.getMessage());
    }

    public static void scale(KernelContext context, FloatArray x, FloatArray y) {}

    private boolean compiles(String call) {
        String source =
                """
                import dev.gyre.core.*;
                import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

                class Calls {
                    static KernelCall call(Value x, Value y) {
                        return %s;
                    }

                    public static void scale(int begin, int count, float factor, FloatArray x, FloatArray y) {}
                }
                """
                        .formatted(call);
        var file = new SimpleJavaFileObject(URI.create("string:///Calls.java"), SimpleJavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return source;
            }
        };
        JavaCompiler javac = ToolProvider.getSystemJavaCompiler();
        List<String> options =
                List.of("-proc:none", "-d", classes.toString(), "-cp", System.getProperty("java.class.path"));
        return javac.getTask(new StringWriter(), null, null, options, null, List.of(file))
                .call();
    }
}
