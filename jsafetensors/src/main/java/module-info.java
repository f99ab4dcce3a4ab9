/** The safetensors format, read by mapping and written atomically. */
module dev.gyre.jsafetensors {
    exports dev.gyre.jsafetensors;
}
