package dev.iolite.passthrough;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Page;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import dev.iolite.pci.EduRegs;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.steps.Holdings;
import dev.iolite.steps.ScenarioException;
import dev.iolite.steps.Step;
import dev.iolite.steps.StepLog;
import dev.iolite.steps.Steps;
import dev.iolite.vfio.IrqSet;
import dev.iolite.vfio.PciIrq;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Assigns a device to a guest, proves that it works, and takes everything back.
 *
 * <p>Two devices can be driven: QEMU's {@code edu} (DMA both ways, an interrupt, a guest that reads
 * and writes its registers) and any NVMe controller (reset, admin queue, Identify). Any other
 * device is assigned and taken back; its registers are left alone.
 */
public final class Passthrough {
  private static final String QEMU_NVME = "1b36:0010";
  private static final int PAGE = (int) Page.BYTES;
  private static final long DMA_FROM = 0x10_0000;
  private static final long DMA_TO = 0x11_0000;
  private static final long NVME_MEMORY = 0x10_0000;
  private static final int INTERRUPT_CAUSE = 0x5a;
  private static final int GUEST_WRITES = 0x1071_7e57;

  private final Kernel kernel;
  private final Consumer<Step> listener;
  private final BooleanSupplier stop;

  /**
   * Prepares scenarios.
   *
   * @param kernel where to run them
   * @param listener receives each step when it is done
   * @param stop asked before each step, and during each wait, whether to stop there; what was done
   *     is then undone
   */
  public Passthrough(Kernel kernel, Consumer<Step> listener, BooleanSupplier stop) {
    this.kernel = kernel;
    this.listener = listener;
    this.stop = stop;
  }

  /**
   * The devices that a run without an address takes: QEMU's first {@code edu} and its first NVMe
   * controller, unless the host uses one of its disks. Real hardware is used only if its address is
   * given.
   *
   * @throws PreconditionException if one of them is missing
   */
  public List<PciAddress> devices() {
    List<PciDevice> all = new Pci(kernel).devices();
    return List.of(
        first(all, "edu device", EduRegs::isEdu),
        first(all, "NVMe controller that is not in use", Passthrough::isFreeQemuNvme));
  }

  private static PciAddress first(List<PciDevice> all, String what, Predicate<PciDevice> which) {
    return all.stream()
        .filter(which)
        .findFirst()
        .map(PciDevice::address)
        .orElseThrow(() ->
            new PreconditionException(
                "looked for the devices to assign",
                "there is no " + what + " of QEMU",
                new Advice(
                    "this is real hardware, or no virtual machine made for it",
                    "name a device by its address",
                    Remedy.USE_LAB)));
  }

  /** Like {@link #run(PciAddress, Optional)}, without a VF token. */
  public boolean run(PciAddress address) {
    return run(address, Optional.empty());
  }

  /**
   * Runs the scenario with one device.
   *
   * @param vfToken the VF token, for a device that requires one
   * @return whether the device was driven: false for one that is only assigned and taken back
   * @throws PreconditionException if something that it needs is missing
   * @throws dev.iolite.kernel.KernelException what the kernel said
   * @throws ScenarioException if all calls succeeded but something went wrong
   */
  public boolean run(PciAddress address, Optional<UUID> vfToken) {
    Holdings before = Holdings.of(kernel, address);
    boolean driven;
    StepLog log = StepLog.tracing(address.toString(), kernel, listener, stop);
    try (Steps steps = new Steps(log)) {
      PciDevice device = new Pci(steps.kernel()).device(address);
      Assignment assignment = Assignment.make(steps, device, vfToken);
      driven = drive(steps, device, assignment);
    }
    log.requireTold();
    StepLog last = StepLog.tracing(address.toString(), kernel, listener, () -> false);
    new Steps(last)
        .step(
            PassthroughStep.CHECK_NOTHING_HELD,
            "nothing is open or mapped; driver " + before.driver().orElse("none") + ", as before",
            () -> Holdings.of(kernel, address).requireSame(before));
    last.requireTold();
    return driven;
  }

  private static boolean drive(Steps steps, PciDevice device, Assignment assignment) {
    if (EduRegs.isEdu(device)) {
      driveEdu(steps, assignment);
    } else if (isNvme(device)) {
      driveNvme(steps, assignment);
    } else {
      return false;
    }
    return true;
  }

  private static boolean isNvme(PciDevice device) {
    return device.classCode() == NvmeController.PCI_CLASS;
  }

  private static boolean isFreeQemuNvme(PciDevice device) {
    return isNvme(device) && id(device).equals(QEMU_NVME) && device.hostUses().isEmpty();
  }

  private static String id(PciDevice device) {
    return "%04x:%04x".formatted(device.vendor(), device.device());
  }

  private static void driveEdu(Steps steps, Assignment assignment) {
    EventFd event =
        steps.open(
            PassthroughStep.MAKE_EVENTFD,
            () -> EventFd.create(steps.kernel()),
            e -> e.fd().toString(),
            "closed");
    steps.open(
        PassthroughStep.CONNECT_MSI,
        () -> {
          IrqSet interrupts = assignment.device().irqs(PciIrq.MSI);
          interrupts.enable(List.of(event));
          return interrupts;
        },
        _ -> "connected",
        "disconnected");

    EduDevice edu = new EduDevice(assignment.bar(), event, new Wait(steps.stop()));
    steps.step(
        PassthroughStep.READ_IDENTIFICATION,
        () -> expect("the identification register", edu.identification(), EduRegs.IDENTIFICATION),
        "0x%08x"::formatted);
    steps.step(
        PassthroughStep.INTERRUPT,
        "the eventfd was signalled, with the right cause",
        () -> edu.interrupt(INTERRUPT_CAUSE));
    steps.step(
        PassthroughStep.COPY_BY_DMA,
        "4096 random bytes came back the same",
        () -> copyByDma(edu, assignment.ram()));
    steps.step(
        PassthroughStep.RUN_GUEST,
        () -> {
          int read =
              GuestProgram.run(
                  assignment,
                  assignment.barGpa() + EduRegs.ID,
                  assignment.barGpa() + EduRegs.LIVENESS,
                  GUEST_WRITES,
                  steps.stop());
          expect("the identification register, read by the guest,", read, EduRegs.IDENTIFICATION);
          return expect("what the guest wrote, read by the host,", edu.liveness(), GUEST_WRITES);
        },
        wrote ->
            "the guest read 0x%08x; the host reads the 0x%08x that the guest wrote"
                .formatted(EduRegs.IDENTIFICATION, wrote));
  }

  /**
   * Moves a page in parts: QEMU 7.2's device refuses a transfer that reaches the end of its buffer.
   */
  private static void copyByDma(EduDevice edu, MemorySegment ram) {
    byte[] random = new byte[PAGE];
    new Random().nextBytes(random);
    MemorySegment from = ram.asSlice(DMA_FROM, PAGE);
    MemorySegment to = ram.asSlice(DMA_TO, PAGE);
    from.copyFrom(MemorySegment.ofArray(random));
    to.fill((byte) 0);
    for (int done = 0; done < PAGE; done += EduDevice.MOST_BYTES) {
      edu.readFrom(DMA_FROM + done, EduDevice.MOST_BYTES);
      edu.writeTo(DMA_TO + done, EduDevice.MOST_BYTES);
    }
    long mismatch = to.mismatch(MemorySegment.ofArray(random));
    if (mismatch >= 0) {
      throw new ScenarioException(
          "byte %d of the page came back as 0x%02x instead of 0x%02x"
              .formatted(
                  mismatch, to.get(ValueLayout.JAVA_BYTE, mismatch), random[(int) mismatch]));
    }
  }

  private static void driveNvme(Steps steps, Assignment assignment) {
    steps.step(
        PassthroughStep.RESET,
        () -> assignment.device().reset(),
        wasReset -> wasReset ? "reset" : "it can't be reset on its own; its driver disables it");
    assignment.recover(steps);
    NvmeController controller =
        steps.open(
            PassthroughStep.ENABLE_CONTROLLER,
            () ->
                new NvmeController(
                    assignment.bar(),
                    assignment.ram().asSlice(NVME_MEMORY, NvmeController.MEMORY_BYTES),
                    NVME_MEMORY,
                    new Wait(steps.stop())),
            _ -> "ready",
            "stopped");
    steps.step(
        PassthroughStep.IDENTIFY,
        controller::identify,
        identity ->
            "model \"%s\", serial \"%s\", firmware \"%s\""
                .formatted(identity.model(), identity.serial(), identity.firmware()));
  }

  private static int expect(String what, int found, int expected) {
    if (found != expected) {
      throw new ScenarioException(
          "%s is 0x%08x instead of 0x%08x".formatted(what, found, expected));
    }
    return found;
  }
}
