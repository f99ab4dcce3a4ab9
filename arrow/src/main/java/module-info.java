/** Tensors to and from Apache Arrow. */
module dev.gyre.arrow {
    requires transitive dev.gyre.core;
    requires transitive dev.gyre.jsafetensors;
    requires transitive org.apache.arrow.memory.core;
    requires transitive org.apache.arrow.vector;
    requires org.apache.arrow.c;
    requires com.fasterxml.jackson.databind;

    exports dev.gyre.arrow;
}
