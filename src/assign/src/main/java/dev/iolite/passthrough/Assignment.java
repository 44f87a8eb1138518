package dev.iolite.passthrough;

import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.IovaAccess;
import dev.iolite.iommufd.IovaMapping;
import dev.iolite.iommufd.IovaRange;
import dev.iolite.iommufd.IovaRanges;
import dev.iolite.kernel.Advice;
import dev.iolite.kernel.DeviceMemory;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.MemorySlot;
import dev.iolite.kvm.VfioKvmDevice;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmType;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.PciDevice;
import dev.iolite.steps.HostSteps;
import dev.iolite.steps.ScenarioException;
import dev.iolite.steps.Steps;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.ConfigRegion;
import dev.iolite.vfio.DmaBuf;
import dev.iolite.vfio.PciRegion;
import dev.iolite.vfio.RegionInfo;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * A PCI device assigned to a KVM guest. Its BAR and the guest's memory are at the same addresses
 * for the guest (GPA) and for the device (IOVA).
 *
 * <p>Each call is a step, and its undo is a step on the way back. KVM learns of the device before
 * the bind, because the bind looks up the device's KVM only once. Memory decode is switched on
 * before the dma-buf is made: otherwise, the dma-buf would be revoked from the start. Bus mastering
 * is switched on last and off first, so that the device makes no DMA while its mappings come and
 * go.
 */
final class Assignment {
  /** The guest's memory starts at address 0 and has this size. */
  static final long RAM_BYTES = 2 << 20;

  /** One for the memory, one for the BAR. */
  private static final int SLOTS = 2;

  private static final long LOWEST_BAR_GPA = 256 << 20;
  private static final long LARGEST_BAR_BELOW_4G = 1 << 30;

  private final BoundVfioDevice device;
  private final DeviceMemory bar;
  private final BarDma barDma;
  private final MemorySegment ram;
  private final Vm vm;
  private final MemorySlot ramSlot;

  private Assignment(
      BoundVfioDevice device,
      DeviceMemory bar,
      BarDma barDma,
      MemorySegment ram,
      Vm vm,
      MemorySlot ramSlot) {
    this.device = device;
    this.bar = bar;
    this.barDma = barDma;
    this.ram = ram;
    this.vm = vm;
    this.ramSlot = ramSlot;
  }

  /** Assigns a device, step by step; closing the steps undoes the assignment. */
  static Assignment make(Steps steps, PciDevice pci, Optional<UUID> vfToken) {
    giveToVfio(steps, pci);
    Vm vm = makeGuest(steps);
    VfioKvmDevice vfioKvm =
        steps.step(PassthroughStep.MAKE_KVM_DEVICE, vm::createVfioDevice, VfioKvmDevice::toString);
    Iommufd iommufd = HostSteps.openIommufd(steps);
    BoundVfioDevice device = HostSteps.bind(steps, pci, vfioKvm, iommufd, vfToken);

    Ioas ioas = steps.step(PassthroughStep.MAKE_IOAS, iommufd::allocIoas, i -> i.id().toString());
    steps.undo(
        PassthroughStep.MAKE_IOAS,
        "nothing was mapped in it, nothing referred to it",
        () -> destroy(ioas));
    steps.open(
        PassthroughStep.ATTACH,
        () -> device.attach(ioas.id()),
        attachment -> "through " + attachment.pageTable(),
        "detached");
    RegionInfo barInfo = device.firstWholeBar();
    requireReachable(ioas, IovaRange.of(0, RAM_BYTES));
    requireReachable(ioas, IovaRange.of(barGpa(barInfo.bytes()), barInfo.bytes()));
    steps.step(
        PassthroughStep.SWITCH_DECODE_ON,
        () -> setting(device, config -> config.setMemoryDecode(true)),
        Function.identity());

    Mapping ram = HostSteps.makeRam(steps, RAM_BYTES);
    steps.open(
        PassthroughStep.MAP_MEMORY_FOR_DMA,
        () -> ioas.map(0, ram.segment(), IovaAccess.READ_WRITE),
        IovaMapping::toString,
        "unmapped");
    BarDma barDma = mapBarForDma(steps, device, barInfo, ioas);
    DeviceMemory bar =
        steps.open(
            PassthroughStep.MAP_BAR.on(barInfo.name()),
            () -> device.region(barInfo).map(),
            m -> "0x%x bytes at 0x%x".formatted(m.bytes(), m.address()),
            "unmapped");

    steps.afterwards(PassthroughStep.CHECK_NO_SLOT, "none is left", () -> requireNoSlot(vm));
    MemorySlot ramSlot =
        steps.open(
            PassthroughStep.ADD_MEMORY_SLOT,
            () -> vm.addSlot(0, RAM_BYTES, ram.address()),
            MemorySlot::toString,
            "deleted");
    steps.open(
        PassthroughStep.ADD_BAR_SLOT.on(barInfo.name()),
        () -> vm.addSlot(barDma.iova(), barInfo.bytes(), bar.address()),
        MemorySlot::toString,
        "deleted");
    steps.step(
        PassthroughStep.SWITCH_MASTER_ON,
        () -> {
          steps.undo(
              PassthroughStep.SWITCH_MASTER_ON,
              "no DMA any more",
              () -> device.config().setBusMaster(false));
          return setting(device, config -> config.setBusMaster(true));
        },
        Function.identity());
    return new Assignment(device, bar, barDma, ram.segment(), vm, ramSlot);
  }

  private static void giveToVfio(Steps steps, PciDevice pci) {
    String before = pci.driver().orElse("no driver");
    steps.open(
        PassthroughStep.GIVE_TO_VFIO,
        () -> {
          pci.requireAssignable();
          return DriverBinding.bind(pci, "vfio-pci");
        },
        _ -> "was with " + before,
        "with " + before + " again");
  }

  private static Vm makeGuest(Steps steps) {
    Kvm kvm = HostSteps.openKvm(steps);
    return steps.open(
        PassthroughStep.MAKE_VM, () -> kvm.createVm(VmType.DEFAULT), Vm::toString, "closed");
  }

  private static BarDma mapBarForDma(
      Steps steps, BoundVfioDevice device, RegionInfo bar, Ioas ioas) {
    DmaBuf dmaBuf =
        steps.open(
            PassthroughStep.EXPORT_DMA_BUF.on(bar.name()),
            () ->
                device.exportDmaBuf(
                    PciRegion.bar(bar.index()),
                    List.of(new ByteRange(0, bar.bytes())),
                    Libc.O_RDWR()),
            DmaBuf::toString,
            "closed");
    return steps.open(
        PassthroughStep.MAP_DMA_BUF_FOR_DMA,
        () -> new BarDma(ioas, dmaBuf, barGpa(bar.bytes())),
        BarDma::toString,
        "unmapped");
  }

  /**
   * Makes the device usable again after a reset. The reset has revoked the dma-buf, and mappings of
   * it in the address space never come back by themselves.
   */
  void recover(Steps steps) {
    steps.step(
        PassthroughStep.SWITCH_ON_AGAIN,
        () ->
            setting(
                device,
                config -> {
                  config.setMemoryDecode(true);
                  config.setBusMaster(true);
                }),
        Function.identity());
    steps.step(PassthroughStep.UNMAP_REVOKED, "unmapped", barDma::close);
    steps.step(PassthroughStep.MAP_AGAIN, barDma::map, IovaMapping::toString);
  }

  private static String setting(BoundVfioDevice device, Consumer<ConfigRegion> change) {
    ConfigRegion config = device.config();
    int before = config.command();
    change.accept(config);
    return "PCI_COMMAND 0x%x, was 0x%x".formatted(config.command(), before);
  }

  /** The device. */
  BoundVfioDevice device() {
    return device;
  }

  /** Its first BAR, mapped here. */
  DeviceMemory bar() {
    return bar;
  }

  /** Where the guest sees that BAR, and where another device would reach it by DMA. */
  long barGpa() {
    return barDma.iova();
  }

  /** The guest's memory, as mapped here; offset, GPA and IOVA are the same. */
  MemorySegment ram() {
    return ram;
  }

  /** The guest. */
  Vm vm() {
    return vm;
  }

  /** The slot that the guest's code is in. */
  MemorySlot ramSlot() {
    return ramSlot;
  }

  private static void requireNoSlot(Vm vm) {
    for (int number = 0; number < SLOTS; number++) {
      if (vm.deleteSlot(number)) {
        throw new ScenarioException("memory slot " + number + " was still there");
      }
    }
  }

  /** Everything was unmapped before, so nothing must be left to unmap. */
  private static void destroy(Ioas ioas) {
    long left = ioas.unmapAll();
    ioas.close();
    if (left != 0) {
      throw new ScenarioException(
          "0x%x bytes were still mapped in the %s".formatted(left, ioas.id()));
    }
  }

  /** An address means the same to guest and device, so the device must be able to use it. */
  private static void requireReachable(Ioas ioas, IovaRange range) {
    IovaRanges ranges = ioas.ranges();
    if (!ranges.allows(range)) {
      throw new PreconditionException(
          "give the device the guest's addresses " + range,
          "it may only use " + ranges.allowed(),
          new Advice(
              "the IOMMU or the platform reserves a part of them",
              "use another device",
              Remedy.SHOW_IOVAS));
    }
  }

  /**
   * A BAR's address is a multiple of its size, and outside the addresses of interrupts (below 4
   * GiB).
   */
  private static long barGpa(long bytes) {
    return bytes <= LARGEST_BAR_BELOW_4G
        ? Math.max(LOWEST_BAR_GPA, bytes)
        : Math.max(1L << 32, bytes);
  }
}
