package dev.gyre.core;

import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.lang.invoke.SerializedLambda;

/** Finds the method that a method reference stands for: what is written of one, when it is written out, says so. */
final class KernelName extends ObjectOutputStream {
    private String name = "kernel";

    private KernelName() throws IOException {
        super(OutputStream.nullOutputStream());
        enableReplaceObject(true);
    }

    /** The method's name; "kernel" for what was compiled against a TornadoVM whose functions cannot be written out. */
    static String of(Object reference) {
        try (KernelName out = new KernelName()) {
            out.writeObject(reference);
            return out.name;
        } catch (IOException e) {
            return "kernel";
        }
    }

    @Override
    protected Object replaceObject(Object object) {
        if (!(object instanceof SerializedLambda lambda)) return object;
        name = lambda.getImplMethodName();
        return null;
    }
}
