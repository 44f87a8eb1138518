package dev.iolite.tdi.journal;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.PrivateDirectory;
import dev.iolite.kernel.PrivateFile;
import dev.iolite.kernel.Remedy;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.pci.Tsm;
import dev.iolite.pci.TsmState;
import dev.iolite.steps.StepLog;
import dev.iolite.steps.Steps;
import dev.iolite.tdi.AssignmentListener;
import dev.iolite.tdi.State;
import dev.iolite.tdi.TdiStep;
import dev.iolite.tdi.journal.JournalRecords.Unreadable;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Releases what a killed process held of a device. The kernel has closed the process's descriptors;
 * slots, maps, dma-bufs and the binding went with them. The changed driver and the TSM's connection
 * remain. The kernel says what is left of them; the journal says only what was there before. A
 * recovery can be repeated, and may itself be killed.
 */
public final class Recovery {
  private static final String VFIO = "vfio-pci";

  private final Kernel kernel;
  private final PrivateDirectory directory;
  private final PciAddress address;
  private final String host;
  private final AssignmentListener listener;

  /**
   * Prepares a recovery.
   *
   * @param directory where the journals are
   * @param host the kernel's name, as it was given to {@link Journal#open}
   */
  public Recovery(
      Kernel kernel,
      PrivateDirectory directory,
      PciAddress address,
      String host,
      AssignmentListener listener) {
    this.kernel = kernel;
    this.directory = directory;
    this.address = address;
    this.host = host;
    this.listener = listener;
  }

  /**
   * What the process had done.
   *
   * @param process its id; 0 if that is not known
   * @param state the last state of the assignment that was recorded
   * @param steps the names of its last steps, the newest last
   */
  public record Found(long process, State state, List<String> steps) {
    /** Copies the list. */
    public Found {
      steps = List.copyOf(steps);
    }
  }

  /**
   * Releases the device.
   *
   * @return what was found; empty if no process has left anything
   * @throws PreconditionException if the process still runs, the journal cannot be read or is for
   *     another kernel's device, or the interface is still bound; nothing is changed then
   * @throws dev.iolite.kernel.KernelException what the kernel said about a file in sysfs
   */
  public Optional<Found> run() {
    Optional<PrivateFile> left = directory.lock(Journal.name(address), false);
    if (left.isEmpty()) {
      return Optional.empty();
    }
    try (PrivateFile file = left.get()) {
      if (!file.isLocked()) {
        throw runs(file);
      }
      List<Map<String, String>> entries = read(file);
      requireSameHost(entries);
      release(entries);
      file.delete();
      return entries.isEmpty() ? Optional.empty() : Optional.of(found(entries));
    }
  }

  private PreconditionException runs(PrivateFile file) {
    return new PreconditionException(
        "release what is held of " + address,
        "process " + process(read(file)) + " still has it",
        new Advice(
            "it runs",
            "unbind the interface there, or end that process",
            Remedy.END_ASSIGNMENT,
            List.of(address.toString())));
  }

  private List<Map<String, String>> read(PrivateFile file) {
    try {
      return JournalRecords.parse(file.read(JournalRecords.MOST_BYTES), address);
    } catch (Unreadable e) {
      throw new PreconditionException(
          "read the journal of " + address + ", " + file,
          String.valueOf(e.getMessage()),
          new Advice(
              "the file is damaged, or iolite has not written it",
              "check the device's driver and TSM, give it back by hand, and delete the file",
              Remedy.SHOW_FUNCTION,
              List.of(address.toString())));
    }
  }

  private static Optional<Map<String, String>> last(
      List<Map<String, String>> entries, String event) {
    return entries.reversed().stream().filter(e -> event.equals(e.get("event"))).findFirst();
  }

  private static long process(List<Map<String, String>> entries) {
    return last(entries, "begin")
        .map(e -> e.getOrDefault("process", "0"))
        .filter(number -> number.matches("\\d{1,18}"))
        .map(Long::parseLong)
        .orElse(0L);
  }

  /** On another kernel, the same address is another device, which is to keep its driver. */
  private void requireSameHost(List<Map<String, String>> entries) {
    last(entries, "begin")
        .map(e -> e.getOrDefault("host", Journal.THIS_HOST))
        .filter(of -> !of.equals(host))
        .ifPresent(of -> {
          throw new PreconditionException(
              "release what is held of " + address,
              "the journal is of " + of + ", and this is " + host,
              new Advice(
                  "the process that was killed worked on another kernel",
                  "release it on " + of,
                  Remedy.RECOVER_ELSEWHERE,
                  List.of(of, address.toString())));
        });
  }

  private static Found found(List<Map<String, String>> entries) {
    String state =
        last(entries, "state").map(e -> e.getOrDefault("state", "")).orElse("unassigned");
    return new Found(
        process(entries),
        State.of(state).orElse(State.UNASSIGNED),
        entries.stream()
            .filter(e -> "step".equals(e.get("event")))
            .map(e -> e.getOrDefault("name", ""))
            .toList());
  }

  private void release(List<Map<String, String>> entries) {
    StepLog log = StepLog.tracing(address.toString(), kernel, listener::step, () -> false);
    Steps steps = new Steps(log);
    PciDevice device = new Pci(log.kernel()).device(address);
    Optional<DriverBinding.Before> before =
        last(entries, "driver")
            .map(e ->
                new DriverBinding.Before(
                    Optional.ofNullable(e.get("driver")), Optional.ofNullable(e.get("override"))))
            .filter(was -> isLeft(device, was));
    steps.step(
        TdiStep.CHECK_RELEASED,
        "it is not",
        () -> {
          requireUnbound(device);
          before.ifPresent(was -> DriverBinding.requireRestorable(device, was));
        });
    last(entries, "connecting")
        .map(e -> e.getOrDefault("tsm", ""))
        .filter(tsm -> device.tsm().flatMap(TsmState::connect).equals(Optional.of(tsm)))
        .ifPresent(tsm ->
            steps.undoNow(
                TdiStep.CONNECT_TSM,
                "from " + tsm,
                () -> new Tsm(log.kernel()).disconnect(device, tsm)));
    before.ifPresent(was ->
        steps.undoNow(
            TdiStep.GIVE_TO_VFIO,
            "with " + was.driver().orElse("no driver") + " again",
            () -> DriverBinding.restore(device, was)));
    log.requireTold();
  }

  /**
   * Whether the device's driver is as an unfinished assignment leaves it: vfio-pci, none, or still
   * the device's own, and in all cases with the driver_override that the assignment has set, or has
   * restored. Whoever has changed that since wants it that way.
   */
  private boolean isLeft(PciDevice device, DriverBinding.Before before) {
    Optional<String> driver = device.driver();
    Optional<String> override = device.driverOverride();
    boolean isOverridden = override.equals(Optional.of(VFIO));
    boolean isTakenBack = override.equals(before.driverOverride());
    if (driver.equals(before.driver())) {
      return isOverridden && !isTakenBack;
    }
    if (driver.isEmpty()
        ? isOverridden || isTakenBack
        : isOverridden && driver.get().equals(VFIO)) {
      return true;
    }
    listener.remark(
        "The device has %s and %s by now, and keeps them."
            .formatted(
                driver.map("the driver "::concat).orElse("no driver"),
                override.map("the driver_override "::concat).orElse("no driver_override")));
    return false;
  }

  private static void requireUnbound(PciDevice device) {
    device
        .tsm()
        .flatMap(TsmState::bound)
        .ifPresent(tsm -> {
          throw new PreconditionException(
              "release " + device,
              "its interface is still bound by " + tsm,
              new Advice(
                  "another process has the device, or the kernel has not finished to release it",
                  "try again when nothing uses the device",
                  Remedy.SHOW_FUNCTION,
                  List.of(device.address().toString())));
        });
  }
}
