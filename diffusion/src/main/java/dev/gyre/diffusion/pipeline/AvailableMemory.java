package dev.gyre.diffusion.pipeline;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The memory that the machine, or the container, has available. */
final class AvailableMemory {
    private static final Path LINUX = Path.of("/proc/meminfo");
    private static final Pattern AVAILABLE = Pattern.compile("MemAvailable: +(\\d+) kB");

    private AvailableMemory() {}

    /** Bytes that can be used without swapping; on Linux the page cache counts as free. */
    static long available() {
        if (!(ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system))
            return Long.MAX_VALUE;
        long free = system.getFreeMemorySize();
        try {
            Matcher matcher = AVAILABLE.matcher(Files.exists(LINUX) ? Files.readString(LINUX) : "");
            // A container's limit appears in the total only.
            if (matcher.find())
                free = Math.min(Math.max(free, Long.parseLong(matcher.group(1)) << 10), system.getTotalMemorySize());
        } catch (IOException e) {
            // Only what the JVM reports is known.
        }
        return free;
    }
}
