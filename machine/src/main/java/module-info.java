/** A small assembler, executable memory, and the kernels made with them: what Gyre's layers stand on. */
@SuppressWarnings("module") // its readers are compiled after it
module dev.gyre.machine {
    exports dev.gyre.machine to
            dev.gyre.core,
            dev.gyre.nn;
    exports dev.gyre.machine.assembler to
            dev.gyre.nn;
    exports dev.gyre.machine.kernel to
            dev.gyre.nn;
}
