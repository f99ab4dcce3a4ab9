/** Tensors, the graph of loops, and the backends that run it. */
module dev.gyre.core {
    requires transitive tornado.api;
    requires dev.gyre.machine;
    requires transitive jdk.jfr;

    exports dev.gyre.core;
    exports dev.gyre.core.jvm;
    exports dev.gyre.core.profile;
    exports dev.gyre.core.tornado;
}
