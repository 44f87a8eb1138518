package dev.iolite.vmm;

import dev.iolite.kvm.Exit;
import java.util.Arrays;

/** The I/O ports. */
final class PortBus {
  private static final int PORTS = 1 << 16;

  private final PortDevice[] devices = new PortDevice[PORTS];

  PortBus() {
    Arrays.fill(devices, PortDevice.NOTHING);
  }

  /** Puts a device at ports; it stays there. */
  void add(int first, int count, PortDevice device) {
    Arrays.fill(devices, first, first + count, device);
  }

  void handle(Exit.IoOut out) {
    PortDevice device = devices[out.port()];
    for (int i = 0; i < out.count(); i++) {
      device.write(out.port(), out.size(), out.value(i));
    }
  }

  void handle(Exit.IoIn in) {
    PortDevice device = devices[in.port()];
    for (int i = 0; i < in.count(); i++) {
      in.respond(i, device.read(in.port(), in.size()));
    }
  }
}
