package dev.gyre.core;

import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.lang.invoke.SerializedLambda;

/** Finds the method of a method reference: its serialized form names it. */
final class KernelName extends ObjectOutputStream {
    private String name = "kernel";

    private KernelName() throws IOException {
        super(OutputStream.nullOutputStream());
        enableReplaceObject(true);
    }

    /** The method's name; "kernel" for references compiled against a TornadoVM whose functions are not serializable. */
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
