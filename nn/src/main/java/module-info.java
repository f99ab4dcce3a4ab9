/** Layers: each file one op with its plain loops. Open, because TornadoVM finds kernels by reflection. */
open module dev.gyre.nn {
    requires transitive dev.gyre.core;
    requires dev.gyre.machine;

    exports dev.gyre.nn;
    exports dev.gyre.nn.attention;
    exports dev.gyre.nn.check;
    exports dev.gyre.nn.conv;
    exports dev.gyre.nn.elementwise;
    exports dev.gyre.nn.embedding;
    exports dev.gyre.nn.linear;
    exports dev.gyre.nn.norm;
    exports dev.gyre.nn.shape;
}
