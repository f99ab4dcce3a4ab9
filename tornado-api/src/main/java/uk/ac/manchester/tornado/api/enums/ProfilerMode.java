package uk.ac.manchester.tornado.api.enums;

/** Where a plan's profile goes. */
public enum ProfilerMode {
    CONSOLE,
    SILENT
}
