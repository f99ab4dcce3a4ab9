package dev.gyre.core.tornado;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import uk.ac.manchester.tornado.api.TornadoBackend;
import uk.ac.manchester.tornado.api.TornadoRuntime;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;
import uk.ac.manchester.tornado.api.runtime.TornadoRuntimeProvider;

/** Finds TornadoVM and its devices, and configures TornadoVM before its first class is loaded. */
final class TornadoDevices {
    /** System properties that TornadoVM reads once, when its first class is loaded. */
    private static final Map<String, String> SETTINGS = Map.of(
            // A task that fails to compile must fail instead of running as plain Java.
            "tornado.recover.bailout",
            "False",
            // Space for the tasks of a graph.
            "tornado.tvm.maxbytecodesize",
            "65536",
            // DeviceProgram.check enforces the device's own limits.
            "tornado.device.memory",
            "1024GB",
            // TornadoVM's default, fast relaxed math, makes exp and sin less accurate.
            "tornado.opencl.compiler.flags",
            "-cl-mad-enable -w");

    /** The compute capability in the device information of TornadoVM's CUDA backend. */
    private static final Pattern CAPABILITY = Pattern.compile("Device version\\s*: CUDA (\\d+\\.\\d+)");

    private static boolean set;

    private TornadoDevices() {}

    static boolean available() {
        return ModuleLayer.boot().findModule("tornado.runtime").isPresent();
    }

    static synchronized void require() {
        if (!available())
            throw new UnsupportedOperationException("TornadoVM is not on this JVM: install its SDK for this JDK"
                    + " (download it from its site, or: sdk install tornadovm), set TORNADOVM_HOME to its folder, and start"
                    + " Java with @$TORNADOVM_HOME/tornado-argfile");
        if (set) return;
        if (System.getProperty("tornado.recover.bailout", "False").equalsIgnoreCase("true"))
            throw new IllegalStateException("-Dtornado.recover.bailout=True would silently run failing kernels as"
                    + " plain Java; start without it");
        SETTINGS.forEach((key, value) -> {
            if (System.getProperty(key) == null) System.setProperty(key, value);
        });
        set = true;
    }

    static List<Device> all() {
        TornadoRuntime runtime = TornadoRuntimeProvider.getTornadoRuntime();
        List<Device> devices = new ArrayList<>();
        for (int b = 0; b < runtime.getNumBackends(); b++) {
            TornadoBackend backend = runtime.getBackend(b);
            for (int d = 0; d < backend.getNumDevices(); d++) devices.add(describe(b + ":" + d, backend.getDevice(d)));
        }
        return devices;
    }

    static Device named(String id) {
        List<Device> all = all();
        return all.stream()
                .filter(device -> device.id().equals(id))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no device " + id + "; available: "
                        + all.stream().map(Device::toString).collect(Collectors.joining(", "))));
    }

    /** @throws UnsupportedOperationException when there is no device */
    static Device standard() {
        return preferred(all());
    }

    /**
     * The first GPU, or else TornadoVM's first device. Of the backends that reach an NVIDIA GPU, CUDA comes first, which alone has
     * the vendor's libraries, then PTX, then OpenCL, which has no tensor cores.
     */
    static Device preferred(List<Device> all) {
        return all.stream()
                .min(Comparator.comparing((Device device) -> !device.kind().equals("GPU"))
                        .thenComparing(device -> !device.language().equals("CUDA"))
                        .thenComparing(device -> !device.language().equals("PTX")))
                .orElseThrow(
                        () -> new UnsupportedOperationException(
                                "TornadoVM finds no device: its backend found no driver (for OpenCL, check the output of clinfo)"));
    }

    static TornadoDevice handle(Device device) {
        String[] id = device.id().split(":");
        return TornadoRuntimeProvider.getTornadoRuntime()
                .getBackend(Integer.parseInt(id[0]))
                .getDevice(Integer.parseInt(id[1]));
    }

    private static Device describe(String id, TornadoDevice device) {
        TornadoVMBackendType type = device.getTornadoVMBackend();
        String language =
                switch (type) {
                    case OPENCL -> "OpenCL";
                    case METAL -> "Metal";
                    default -> type.name();
                };
        // Only OpenCL has devices without F16 arithmetic.
        String info = device.getPhysicalDevice().getDeviceInfo();
        boolean f16 = type != TornadoVMBackendType.OPENCL || info.contains("cl_khr_fp16");
        Matcher capability = CAPABILITY.matcher(info);
        return new Device(
                id,
                device.getPhysicalDevice().getDeviceName().strip(),
                device.getPlatformName().strip(),
                language,
                device.getDeviceType().name(),
                device.getPhysicalDevice().getDeviceMaxComputeUnits(),
                device.getMaxGlobalMemory(),
                device.getMaxAllocMemory(),
                device.getDeviceLocalMemorySize(),
                (int) device.getPhysicalDevice().getDeviceMaxWorkGroupSize()[0],
                f16,
                capability.find() ? Optional.of(capability.group(1)) : Optional.empty());
    }
}
