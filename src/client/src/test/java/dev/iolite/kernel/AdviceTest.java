package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.catalog.VfioIoctls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Checks the advice on each error: that it fits what the call was made on, and can be followed. */
class AdviceTest {
  private static final Optional<String> DEVICE = Optional.of("0000:03:00.1");
  private static final Pattern PLACEHOLDER =
      Pattern.compile("\\b(BDF|PATH|UUID|NAME|FILE|VENDOR|DEVICE|NODE|DEV|GROUP|USER)\\b");

  /** What only the advice for a device or its file may mention. */
  private static final Pattern OF_DEVICES = Pattern.compile("BAR|vfio|PCI|driver|device|firmware");

  static List<String> calls() {
    return KernelErrnos.calls();
  }

  /** What the client makes a call on. */
  private static CallTarget target(String call) {
    return switch (call) {
      case "mmap", "pread", "pwrite" ->
          new CallTarget(Optional.of(FdKind.VFIO_DEVICE), "VFIO device 7", DEVICE);
      case "write", "tsm/connect", "tsm/disconnect" ->
          new CallTarget(Optional.of(FdKind.FILE), "/sys/bus/x/bind", DEVICE);
      case "open" -> CallTarget.of(FdKind.IOMMUFD, "/dev/iommu");
      case "fallocate" -> CallTarget.of(FdKind.GUEST_MEMFD, "guest_memfd 3");
      case "ftruncate", "fcntl" -> CallTarget.of(FdKind.MEMFD, "memfd 3");
      case "memfd_create", "eventfd", "munmap" -> CallTarget.of("the process");
      default ->
          Stream.of(VfioIoctls.all(), IommufdIoctls.all(), KvmIoctls.all())
              .flatMap(List::stream)
              .filter(known -> known.name().equals(call))
              .reduce((_, last) -> last)
              .map(Ioctl::on)
              .map(kind -> new CallTarget(Optional.of(kind), kind + " 5", DEVICE))
              .orElseGet(() -> CallTarget.of(FdKind.KVM_VM, "KVM VM 5"));
    };
  }

  @ParameterizedTest
  @MethodSource("calls")
  void everyErrnoThatTheKernelAnswersToACallHasACauseAndANextStep(String call) {
    CallTarget on = target(call);
    assertThat(KernelErrnos.of(call))
        .allSatisfy(errno ->
            assertThat(new KernelException(call, on, "", -errno.negated()).advice())
                .as("%s: %s", call, errno)
                .hasValueSatisfying(advice -> {
                  assertThat(advice.cause()).isNotBlank();
                  assertThat(advice.next()).isNotBlank();
                }));
  }

  @Test
  void everyPlaceholderOfAnAdviceIsFilledInOrThereIsNone() {
    List<String> calls = new ArrayList<>(KernelErrnos.calls());
    calls.addAll(
        List.of(
            "IOMMU_VDEVICE_TSM_OP",
            "IOMMU_VDEVICE_TSM_REQ",
            "IOMMU_VDEVICE_TSM_GUEST_REQUEST",
            "VFIO_DEVICE_TSM_BIND"));
    for (String call : calls) {
      for (Errno errno : Errno.values()) {
        for (CallTarget on : targets()) {
          assertThat(new KernelException(call, on, "", -errno.negated()).getMessage())
              .as("%s on %s: %s", call, on, errno)
              .doesNotContainPattern(PLACEHOLDER);
        }
      }
    }
  }

  /** Every kind of descriptor, a device's file, and no descriptor. */
  private static List<CallTarget> targets() {
    return Stream.concat(
            Stream.of(FdKind.values()).map(kind -> CallTarget.of(kind, kind + " 5")),
            Stream.of(
                CallTarget.of("anonymous memory"),
                new CallTarget(Optional.of(FdKind.FILE), "/sys/bus/x/bind", DEVICE)))
        .toList();
  }

  static List<Arguments> ofNoDevice() {
    CallTarget eventFd = CallTarget.of(FdKind.EVENTFD, "eventfd 5");
    CallTarget memFd = CallTarget.of(FdKind.MEMFD, "memfd 5");
    CallTarget nothing = CallTarget.of("anonymous memory");
    return List.of(
        arguments("mmap", nothing, Errno.EINVAL, "multiple of the page size"),
        arguments("mmap", nothing, Errno.ENOMEM, "out of address space"),
        arguments("mmap", nothing, Errno.EAGAIN, "memlock"),
        arguments("munmap", nothing, Errno.EINVAL, "multiple of the page size"),
        arguments("munmap", nothing, Errno.ENOMEM, "vm.max_map_count"),
        arguments("mmap", memFd, Errno.EINVAL, "multiple of the page size"),
        arguments("mmap", memFd, Errno.EPERM, "sealed"),
        arguments("ftruncate", memFd, Errno.EPERM, "sealed"),
        arguments("ftruncate", memFd, Errno.EINVAL, "negative"),
        arguments("fcntl", memFd, Errno.EPERM, "MFD_ALLOW_SEALING"),
        arguments("fcntl", memFd, Errno.EBUSY, "mapped writable"),
        arguments("fcntl", memFd, Errno.EINVAL, "seal"),
        arguments("mmap", eventFd, Errno.ENODEV, "no mapping"),
        arguments("write", eventFd, Errno.EINVAL, "8 bytes"),
        arguments("write", eventFd, Errno.EAGAIN, "overflow"),
        arguments("read", eventFd, Errno.EAGAIN, "the count is 0"),
        arguments("read", eventFd, Errno.EINVAL, "8 bytes"),
        arguments("poll", eventFd, Errno.EINVAL, "more descriptors"),
        arguments("mmap", CallTarget.of(FdKind.KVM_VCPU, "vCPU 5"), Errno.EINVAL, "page size"),
        arguments(
            "mmap", CallTarget.of(FdKind.GUEST_MEMFD, "memory 5"), Errno.ENODEV, "no mapping"),
        arguments(
            "fallocate",
            CallTarget.of(FdKind.GUEST_MEMFD, "memory 5"),
            Errno.EINVAL,
            "whole pages"),
        arguments("mmap", CallTarget.of(FdKind.DMA_BUF, "dma-buf 5"), Errno.ENOMEM, "free memory"),
        arguments("lseek", CallTarget.of(FdKind.DMA_BUF, "dma-buf 5"), Errno.EINVAL, "its size"),
        arguments("write", CallTarget.of(FdKind.FILE, "/proc/x"), Errno.EINVAL, "the value"),
        arguments("readlink", CallTarget.of("/proc/x"), Errno.EINVAL, "no symbolic link"),
        arguments("getdents64", CallTarget.of(FdKind.FILE, "/x"), Errno.ENOTDIR, "no directory"));
  }

  @ParameterizedTest
  @MethodSource("ofNoDevice")
  void aCallOnNoDeviceIsNotToldOfDevices(String call, CallTarget on, Errno errno, String said) {
    assertThat(new KernelException(call, on, "", -errno.negated()).getMessage())
        .contains(said)
        .doesNotContainPattern(OF_DEVICES);
  }

  @Test
  void aShortTransferIsToldOfSysfsOnlyIfItWasToAFile() {
    CallTarget file = CallTarget.of(FdKind.FILE, "/sys/x");
    CallTarget eventFd = CallTarget.of(FdKind.EVENTFD, "eventfd 5");
    assertThat(Advice.ofNumber("write", file).cause()).contains("sysfs");
    assertThat(Advice.ofNumber("write", eventFd).cause()).doesNotContain("sysfs");
  }

  @Test
  void theAttributesOfAVmsVfioDeviceAreNotThoseOfAVm() {
    assertThat(advice("KVM_SET_DEVICE_ATTR", FdKind.KVM_DEVICE, Errno.EBADF).cause())
        .contains("no VFIO device");
    assertThat(advice("KVM_SET_DEVICE_ATTR", FdKind.KVM_VM, Errno.EBADF).cause())
        .doesNotContain("VFIO");
  }

  private static Advice advice(String call, FdKind kind, Errno errno) {
    return Advice.of(call, CallTarget.of(kind, kind + " 5"), errno).orElseThrow();
  }

  @Test
  void onlyTheDeviceItselfIsToldOfItsRegions() {
    for (CallTarget on : targets()) {
      Optional<Advice> advice = Advice.of("mmap", on, Errno.EINVAL);
      assertThat(advice.map(Advice::cause).orElse("").contains("memory BAR"))
          .as(on.toString())
          .isEqualTo(on.kind().equals(Optional.of(FdKind.VFIO_DEVICE)));
    }
  }
}
