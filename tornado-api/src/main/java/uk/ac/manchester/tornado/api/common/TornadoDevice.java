package uk.ac.manchester.tornado.api.common;

import uk.ac.manchester.tornado.api.TornadoTargetDevice;
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;

/** Where tasks run. */
public interface TornadoDevice {
    String getDeviceName();

    String getDescription();

    String getPlatformName();

    TornadoTargetDevice getPhysicalDevice();

    TornadoDeviceType getDeviceType();

    /** Bytes of the largest buffer. */
    long getMaxAllocMemory();

    /** Bytes of all memory. */
    long getMaxGlobalMemory();

    /** Bytes that the threads of a group share. */
    long getDeviceLocalMemorySize();

    TornadoVMBackendType getTornadoVMBackend();
}
