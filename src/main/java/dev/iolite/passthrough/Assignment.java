package dev.iolite.passthrough;

import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.IovaAccess;
import dev.iolite.iommufd.IovaMapping;
import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.DeviceMemory;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.MemFd;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.MemorySlot;
import dev.iolite.kvm.VfioKvmDevice;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmType;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.PciDevice;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.vfio.Attachment;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.ConfigRegion;
import dev.iolite.vfio.DmaBuf;
import dev.iolite.vfio.PciRegion;
import dev.iolite.vfio.RegionInfo;
import dev.iolite.vfio.VfioDevice;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A PCI device assigned to a KVM guest: its BAR and the guest's memory stand at the same addresses
 * for the guest (GPA) and for the device (IOVA).
 *
 * <p>Each call is a step, and its undo is a step on the way back. KVM is told of the device before
 * the bind, because the bind looks up the device's KVM once; memory decode is switched on before
 * the dma-buf is made, or it would be born revoked.
 */
final class Assignment {
  /** The guest's memory starts at address 0 and has this size. */
  static final long RAM_BYTES = 2 << 20;

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

  /** Assigns a device, step by step; closing the steps takes it back. */
  static Assignment make(Steps steps, PciDevice pci) {
    Kernel kernel = steps.kernel();

    DriverBinding binding =
        steps.step(
            "give the device to vfio-pci",
            () -> DriverBinding.bind(pci, "vfio-pci"),
            b -> "was with " + b.before().driver().orElse("no driver"));
    steps.undo(
        "give the device back to its driver",
        "with " + binding.before().driver().orElse("no driver") + " again",
        binding::close);

    Kvm kvm = steps.step("open KVM", () -> Kvm.open(kernel), k -> "API version " + k.apiVersion());
    steps.undo("close KVM", "closed", kvm::close);
    Vm vm = steps.step("make a virtual machine", () -> kvm.createVm(VmType.DEFAULT), Vm::toString);
    steps.undo("close the virtual machine", "closed", vm::close);
    VfioKvmDevice vfioKvm =
        steps.step("make its VFIO device", vm::createVfioDevice, VfioKvmDevice::toString);

    Iommufd iommufd = steps.step("open iommufd", () -> Iommufd.open(kernel), Iommufd::toString);
    steps.undo("close iommufd", "closed", iommufd::close);
    VfioDevice unbound =
        steps.step(
            "open the device",
            () -> VfioDevice.open(kernel, pci.requireVfioCdev(), pci.address().toString()),
            VfioDevice::toString);
    CloseStack descriptor = new CloseStack();
    descriptor.push(unbound);
    steps.undo("close the device", "closed and unbound", descriptor::close);
    steps.step("tell KVM of the device, before the bind", "told", () -> vfioKvm.add(unbound));
    BoundVfioDevice device =
        steps.step(
            "bind the device to iommufd",
            () -> descriptor.push(unbound.bind(iommufd.fd())),
            bound -> bound.deviceId().toString());
    steps.undo("take the device from KVM", "taken", () -> vfioKvm.remove(device.fd()));

    Ioas ioas = steps.step("make an address space", iommufd::allocIoas, i -> i.id().toString());
    steps.undo(
        "destroy the address space",
        "nothing was mapped in it, nothing referred to it",
        () -> destroy(ioas));
    Attachment attachment =
        steps.step(
            "attach the device to it",
            () -> device.attach(ioas.id()),
            a -> "through " + a.pageTable());
    steps.undo("detach the device", "detached", attachment::close);

    ConfigRegion config = device.config();
    decode(steps, config);

    MemFd memory =
        steps.step(
            "make the guest's memory",
            () -> MemFd.create(kernel, "guest-ram", RAM_BYTES),
            m -> m.bytes() + " bytes");
    steps.undo("free the guest's memory", "freed", memory::close);
    Mapping ram =
        steps.step("map it here", memory::map, m -> "at 0x" + Long.toHexString(m.address()));
    steps.undo("unmap it here", "unmapped", ram::close);
    IovaMapping ramMap =
        steps.step(
            "map it for DMA",
            () -> ioas.map(0, ram.segment(), IovaAccess.READ_WRITE),
            IovaMapping::toString);
    steps.undo("unmap it for DMA", "unmapped", ramMap::close);

    RegionInfo barInfo = firstBar(device);
    long barGpa = barGpa(barInfo.bytes());
    DmaBuf dmaBuf =
        steps.step(
            "export " + barInfo.name() + " as a dma-buf",
            () ->
                device.exportDmaBuf(
                    barInfo.index(), List.of(new ByteRange(0, barInfo.bytes())), Libc.O_RDWR()),
            DmaBuf::toString);
    steps.undo("close the dma-buf", "closed", dmaBuf::close);
    BarDma barDma =
        steps.step(
            "map the dma-buf for DMA", () -> new BarDma(ioas, dmaBuf, barGpa), BarDma::toString);
    steps.undo("unmap the dma-buf for DMA", "unmapped", barDma::unmap);
    DeviceMemory bar =
        steps.step(
            "map " + barInfo.name() + " here",
            () -> device.region(barInfo.index()).map(),
            m -> "0x%x bytes at 0x%x".formatted(m.bytes(), m.address()));
    steps.undo("unmap " + barInfo.name() + " here", "unmapped", bar::close);

    MemorySlot ramSlot =
        steps.step(
            "give the guest its memory",
            () -> vm.addSlot(0, RAM_BYTES, ram.address()),
            MemorySlot::toString);
    steps.undo("delete the slot of the guest's memory", "deleted", ramSlot::close);
    MemorySlot barSlot =
        steps.step(
            "give the guest " + barInfo.name(),
            () -> vm.addSlot(barGpa, barInfo.bytes(), bar.address()),
            MemorySlot::toString);
    steps.undo("delete the slot of " + barInfo.name(), "deleted", barSlot::close);

    master(steps, config);
    steps.undo("switch bus mastering off", "no DMA any more", () -> config.setBusMaster(false));
    return new Assignment(device, bar, barDma, ram.segment(), vm, ramSlot);
  }

  /**
   * Makes the device usable again after a reset. That has revoked the dma-buf, and what was mapped
   * of it in the address space never comes back by itself.
   */
  void recover(Steps steps) {
    decode(steps, device.config());
    master(steps, device.config());
    steps.step("unmap the dma-buf that the reset revoked", "unmapped", barDma::unmap);
    steps.step("map it for DMA again", barDma::map, IovaMapping::toString);
  }

  private static void decode(Steps steps, ConfigRegion config) {
    int before = config.command();
    steps.step(
        "switch memory decode on",
        () -> {
          config.setMemoryDecode(true);
          return config.command();
        },
        command -> "PCI_COMMAND 0x%x, was 0x%x".formatted(command, before));
  }

  private static void master(Steps steps, ConfigRegion config) {
    int before = config.command();
    steps.step(
        "switch bus mastering on",
        () -> {
          config.setBusMaster(true);
          return config.command();
        },
        command -> "PCI_COMMAND 0x%x, was 0x%x".formatted(command, before));
  }

  /** The device. */
  BoundVfioDevice device() {
    return device;
  }

  /** Its first BAR, mapped here. */
  DeviceMemory bar() {
    return bar;
  }

  /** Where the guest sees that BAR, and where another device would by DMA. */
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

  /** All was unmapped before, so nothing may be left to unmap. */
  private static void destroy(Ioas ioas) {
    long left = ioas.unmapAll();
    ioas.close();
    if (left != 0) {
      throw new ScenarioException(
          "0x%x bytes were still mapped in the %s".formatted(left, ioas.id()));
    }
  }

  private static RegionInfo firstBar(BoundVfioDevice device) {
    return device.regionInfos().stream()
        .filter(region -> region.index() <= PciRegion.BAR5.index() && region.canMap())
        .findFirst()
        .orElseThrow(() ->
            new PreconditionException(
                "looked for a BAR of " + device.name() + " to give to the guest",
                "none can be mapped",
                "the device has only I/O ports, or BARs smaller than a page",
                "iolite vfio info " + device.name()));
  }

  /** A BAR's address is a multiple of its size, and not where interrupts are (below 4 GiB). */
  private static long barGpa(long bytes) {
    return bytes <= LARGEST_BAR_BELOW_4G
        ? Math.max(LOWEST_BAR_GPA, bytes)
        : Math.max(1L << 32, bytes);
  }
}
