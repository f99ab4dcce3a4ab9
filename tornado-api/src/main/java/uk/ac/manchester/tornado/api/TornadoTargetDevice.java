package uk.ac.manchester.tornado.api;

/** What a device is made of. */
public interface TornadoTargetDevice {
    String getDeviceName();

    int getDeviceMaxComputeUnits();

    long[] getDeviceMaxWorkGroupSize();

    String getDeviceInfo();
}
