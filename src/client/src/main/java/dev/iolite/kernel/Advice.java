package dev.iolite.kernel;

import dev.iolite.uapi.catalog.FdKind;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The usual cause of an error and the next step, in words for people.
 *
 * @param cause the usual cause
 * @param next the next step
 * @param remedy the next step as data
 * @param subjects what the remedy applies to, mostly devices by their names on the bus; empty if it
 *     applies to nothing, or that is not known
 */
public record Advice(String cause, String next, Remedy remedy, List<String> subjects) {
  /** Copies the list of subjects. */
  public Advice {
    subjects = List.copyOf(subjects);
  }

  /** Advice that consists of words only. */
  public Advice(String cause, String next) {
    this(cause, next, Remedy.NONE);
  }

  /** Advice whose remedy applies to nothing, or to the device that the call was made on. */
  public Advice(String cause, String next, Remedy remedy) {
    this(cause, next, remedy, List.of());
  }

  /** What is known about errors of the calls on one kind of descriptor. */
  @FunctionalInterface
  private interface Table {
    @Nullable Advice known(String call, Errno errno);
  }

  /**
   * What is known about an error of a call on a kind of descriptor.
   *
   * @param call the system call or ioctl, by its name in the headers
   * @param on what it was made on
   * @param errno what the kernel said
   */
  static Optional<Advice> of(String call, CallTarget on, Errno errno) {
    List<Table> tables =
        on.kind().map(kind -> ofKind(kind, on)).orElse(List.of(FileAdvice::ofNone));
    return Stream.concat(tables.stream(), Stream.of(AnyCallAdvice::known))
        .map(table -> table.known(call, errno))
        .flatMap(Stream::ofNullable)
        .findFirst()
        .map(advice -> advice.on(on));
  }

  private static List<Table> ofKind(FdKind kind, CallTarget on) {
    return switch (kind) {
      case VFIO_DEVICE -> List.of(VfioAdvice::known, ConfidentialAdvice::known);
      case VFIO_CONTAINER -> List.of(VfioGroupAdvice::ofContainer);
      case VFIO_GROUP -> List.of(VfioGroupAdvice::ofGroup);
      case VFIO_MIGRATION -> List.of(VfioGroupAdvice::ofMigration);
      case IOMMUFD ->
          List.of(IommufdAdvice::known, ConfidentialAdvice::known, VfioGroupAdvice::ofContainer);
      case FAULT_QUEUE, VEVENTQ -> List.of(IommufdAdvice::ofQueue);
      case KVM -> List.of(KvmAdvice::known);
      case KVM_VM -> List.of(LaunchAdvice::known, KvmAdvice::known);
      case KVM_VCPU -> List.of(LaunchAdvice::known, ConfidentialAdvice::known, KvmAdvice::ofVcpu);
      case KVM_DEVICE -> List.of(KvmAdvice::ofDevice);
      case GUEST_MEMFD, MEMFD -> List.of(FileAdvice::ofMemory);
      case DMA_BUF -> List.of(FileAdvice::ofDmaBuf);
      case SYNC_FILE -> List.of();
      case UDMABUF -> List.of(FileAdvice::ofUdmabuf);
      case EVENTFD -> List.of(FileAdvice::ofEventFd);
      case FILE -> List.of(on.device().isPresent() ? PciAdvice::known : FileAdvice::ofFile);
    };
  }

  /**
   * Like {@link #of}, for a call that returned a number which means neither success nor an errno.
   */
  static Advice ofNumber(String call, CallTarget on) {
    Optional<Advice> known =
        switch (on.kind().orElse(FdKind.KVM)) {
          case VFIO_DEVICE -> VfioAdvice.ofNumber(call);
          case FILE -> FileAdvice.ofNumber(call);
          default -> Optional.empty();
        };
    return known
        .orElseGet(() ->
            new Advice(
                "a fault of the kernel's driver, or a kernel newer than this program",
                "report it with the kernel's version (uname -r) and the driver's name"))
        .on(on);
  }

  /** Applies the advice to what the call was made on: its device, and its path in a command. */
  private Advice on(CallTarget on) {
    return new Advice(
        cause, next.replace("PATH", on.name()), remedy, on.device().stream().toList());
  }
}
