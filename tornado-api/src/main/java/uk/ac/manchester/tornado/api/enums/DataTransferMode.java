package uk.ac.manchester.tornado.api.enums;

/** When data moves between host and device. Values are read at run time: what is compiled here must follow the real ones. */
public class DataTransferMode {
    /** Once, before the first execution. */
    public static final int FIRST_EXECUTION = Integer.parseInt("0");

    public static final int EVERY_EXECUTION = Integer.parseInt("1");

    /** When the caller asks for it. */
    public static final int UNDER_DEMAND = Integer.parseInt("2");
}
