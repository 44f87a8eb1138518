package dev.iolite.contract;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Mapping;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.VfioDevice;
import java.time.Duration;
import org.assertj.core.api.Assertions;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** What the client's classes make of the kernel's answers, with a device of vfio-pci. */
abstract class ClientContract extends VfioContract {
  static final Duration SOON = Duration.ofSeconds(20);
  static final Duration NOW = Duration.ZERO;

  private final String address;

  ClientContract(Backend backend, String address) {
    super(backend, address);
    this.address = address;
  }

  /** Closes something when the case ends; what it closed itself is closed. */
  final <T extends AutoCloseable> T push(T resource) {
    atEnd(() -> {
      try {
        resource.close();
      } catch (Exception e) {
        throw new AssertionError("close " + resource, e);
      }
    });
    return resource;
  }

  final Iommufd client() {
    return push(Iommufd.open(kernel));
  }

  final VfioDevice unbound() {
    String node = sysfs.list(file("vfio-dev")).getFirst();
    return push(VfioDevice.open(kernel, "/dev/vfio/devices/" + node, address));
  }

  final BoundVfioDevice bound(Iommufd client) {
    return push(unbound().bind(client));
  }

  /** The same, with memory decode and bus mastering on. */
  final BoundVfioDevice enabled(Iommufd client) {
    BoundVfioDevice device = bound(client);
    device.config().setMemoryDecode(true);
    device.config().setBusMaster(true);
    return device;
  }

  final EventFd event() {
    return push(EventFd.create(kernel));
  }

  /** Memory that can be read, written and pinned. */
  final Mapping pages(int count) {
    return push(Mapping.anonymous(kernel, count * PAGE));
  }

  static void refuses(Errno errno, ThrowingCallable call) {
    Assertions.assertThatExceptionOfType(KernelException.class)
        .isThrownBy(call)
        .extracting(KernelException::errno)
        .isEqualTo(errno);
  }
}
