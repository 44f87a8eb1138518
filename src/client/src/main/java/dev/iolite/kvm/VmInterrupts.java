package dev.iolite.kvm;

import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_ioeventfd;
import dev.iolite.uapi.kvm.kvm_irq_level;
import dev.iolite.uapi.kvm.kvm_irq_routing;
import dev.iolite.uapi.kvm.kvm_irq_routing_entry;
import dev.iolite.uapi.kvm.kvm_irqchip;
import dev.iolite.uapi.kvm.kvm_irqfd;
import dev.iolite.uapi.kvm.kvm_msi;
import dev.iolite.uapi.kvm.kvm_pit_config;
import dev.iolite.uapi.kvm.kvm_pit_state2;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A VM's interrupt controllers and timer, and the ways of an interrupt into the VM. From {@link
 * Vm#interrupts}.
 *
 * <p>Safe for use by several threads.
 */
public final class VmInterrupts {
  private final Fd vm;

  VmInterrupts(Fd vm) {
    this.vm = vm;
  }

  /**
   * Makes the PICs, the I/O APIC and the vCPUs' local APICs in the kernel, before any vCPU is made.
   * The GSIs 0 to 15 go to the PICs and the I/O APIC, 16 to 23 to the I/O APIC, each to its own
   * pin.
   *
   * <p>KVM_CREATE_IRQCHIP, arch/x86/kvm/x86.c:kvm_arch_vm_ioctl.
   *
   * @throws KernelException EEXIST: the VM has an interrupt controller; EINVAL: it has a vCPU;
   *     ENOTTY: it is of a type that can't have it
   */
  public void createIrqchip() {
    vm.ioctl(KvmIoctls.KVM_CREATE_IRQCHIP, 0);
  }

  /**
   * Makes the programmable interval timer in the kernel.
   *
   * <p>KVM_CREATE_PIT2, arch/x86/kvm/i8254.c:kvm_create_pit.
   *
   * @param speaker whether the kernel answers at the speaker's port 0x61, too
   * @throws KernelException EEXIST: the VM has one; ENOENT: it has no interrupt controller in the
   *     kernel
   */
  public void createPit(boolean speaker) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment config = kvm_pit_config.allocate(arena);
      kvm_pit_config.flags(config, speaker ? Kvm.KVM_PIT_SPEAKER_DUMMY() : 0);
      vm.ioctl(KvmIoctls.KVM_CREATE_PIT2, config);
    }
  }

  /**
   * The timer's registers.
   *
   * <p>KVM_GET_PIT2, arch/x86/kvm/x86.c:kvm_vm_ioctl_get_pit2.
   *
   * @throws KernelException ENXIO: there is none in the kernel
   */
  public PitState pit() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pit = kvm_pit_state2.allocate(arena);
      vm.ioctl(KvmIoctls.KVM_GET_PIT2, pit);
      return PitState.of(pit);
    }
  }

  /**
   * Sets the timer's registers.
   *
   * <p>KVM_SET_PIT2, arch/x86/kvm/x86.c:kvm_vm_ioctl_set_pit2.
   *
   * @throws KernelException ENXIO: there is none in the kernel
   */
  public void setPit(PitState state) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pit = kvm_pit_state2.allocate(arena);
      state.store(pit);
      vm.ioctl(KvmIoctls.KVM_SET_PIT2, pit);
    }
  }

  /**
   * A PIC's registers.
   *
   * <p>KVM_GET_IRQCHIP, arch/x86/kvm/irq.c:kvm_vm_ioctl_get_irqchip.
   *
   * @param chip one of the PICs
   * @throws KernelException ENXIO: it is not in the kernel
   */
  public PicState pic(GsiRoute.Chip chip) {
    requirePic(chip);
    try (Arena arena = Arena.ofConfined()) {
      return PicState.of(kvm_irqchip.chip.pic(kvm_irqchip.chip(get(arena, chip))));
    }
  }

  /**
   * Sets a PIC's registers.
   *
   * <p>KVM_SET_IRQCHIP, arch/x86/kvm/irq.c:kvm_vm_ioctl_set_irqchip.
   *
   * @param chip one of the PICs
   * @throws KernelException ENXIO: it is not in the kernel
   */
  public void setPic(GsiRoute.Chip chip, PicState state) {
    requirePic(chip);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment irqchip = irqchip(arena, chip);
      state.store(kvm_irqchip.chip.pic(kvm_irqchip.chip(irqchip)));
      vm.ioctl(KvmIoctls.KVM_SET_IRQCHIP, irqchip);
    }
  }

  /**
   * The I/O APIC's registers.
   *
   * <p>KVM_GET_IRQCHIP, arch/x86/kvm/irq.c:kvm_vm_ioctl_get_irqchip.
   *
   * @throws KernelException ENXIO: it is not in the kernel
   */
  public IoapicState ioapic() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment irqchip = get(arena, GsiRoute.Chip.IOAPIC);
      return IoapicState.of(kvm_irqchip.chip.ioapic(kvm_irqchip.chip(irqchip)));
    }
  }

  /**
   * Sets the I/O APIC's registers.
   *
   * <p>KVM_SET_IRQCHIP, arch/x86/kvm/irq.c:kvm_vm_ioctl_set_irqchip.
   *
   * @throws KernelException ENXIO: it is not in the kernel
   */
  public void setIoapic(IoapicState state) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment irqchip = irqchip(arena, GsiRoute.Chip.IOAPIC);
      state.store(kvm_irqchip.chip.ioapic(kvm_irqchip.chip(irqchip)));
      vm.ioctl(KvmIoctls.KVM_SET_IRQCHIP, irqchip);
    }
  }

  private MemorySegment get(Arena arena, GsiRoute.Chip chip) {
    MemorySegment irqchip = irqchip(arena, chip);
    vm.ioctl(KvmIoctls.KVM_GET_IRQCHIP, irqchip);
    return irqchip;
  }

  private static MemorySegment irqchip(Arena arena, GsiRoute.Chip chip) {
    MemorySegment irqchip = kvm_irqchip.allocate(arena);
    kvm_irqchip.chip_id(irqchip, chip.number());
    return irqchip;
  }

  private static void requirePic(GsiRoute.Chip chip) {
    if (chip == GsiRoute.Chip.IOAPIC) {
      throw new IllegalArgumentException("the I/O APIC is no PIC: use ioapic()");
    }
  }

  /**
   * Replaces the whole routing table: where each GSI goes.
   *
   * <p>KVM_SET_GSI_ROUTING, virt/kvm/irqchip.c:kvm_set_irq_routing.
   *
   * @throws KernelException EINVAL: no interrupt controller in the kernel, more than 4096 routes, a
   *     pin or a chip that does not exist, any pin with a split controller, two messages for a GSI,
   *     or a GSI with a message and a pin
   */
  public void route(List<GsiRoute> routes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment routing =
          arena.allocate(
              kvm_irq_routing.sizeof() + routes.size() * kvm_irq_routing_entry.sizeof(),
              kvm_irq_routing.layout().byteAlignment());
      kvm_irq_routing.nr(routing, routes.size());
      MemorySegment entries = routing.asSlice(kvm_irq_routing.sizeof());
      for (int i = 0; i < routes.size(); i++) {
        routes.get(i).store(kvm_irq_routing_entry.asSlice(entries, i));
      }
      vm.ioctl(KvmIoctls.KVM_SET_GSI_ROUTING, routing);
    }
  }

  /**
   * Raises or lowers an interrupt line. A line that several sources share is low when the last of
   * them has lowered it; all calls of this are one source.
   *
   * <p>KVM_IRQ_LINE, virt/kvm/kvm_main.c:kvm_vm_ioctl, arch/x86/kvm/irq.c:kvm_vm_ioctl_irq_line.
   *
   * @throws KernelException ENXIO: no interrupt controller in the kernel
   */
  public void setLine(int gsi, boolean isHigh) {
    try (Arena arena = Arena.ofConfined()) {
      vm.ioctl(KvmIoctls.KVM_IRQ_LINE, level(arena, gsi, isHigh));
    }
  }

  /**
   * Like {@link #setLine}, and says what became of it.
   *
   * <p>KVM_IRQ_LINE_STATUS.
   *
   * @return negative: ignored, as it is masked or not routed; 0: merged with one that is still
   *     pending; else to how many vCPUs it was delivered
   * @throws KernelException ENXIO: no interrupt controller in the kernel
   */
  public int setLineStatus(int gsi, boolean isHigh) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment level = level(arena, gsi, isHigh);
      vm.ioctl(KvmIoctls.KVM_IRQ_LINE_STATUS, level);
      return kvm_irq_level.status(level);
    }
  }

  private static MemorySegment level(Arena arena, int gsi, boolean isHigh) {
    MemorySegment level = kvm_irq_level.allocate(arena);
    kvm_irq_level.irq(level, gsi);
    kvm_irq_level.level(level, isHigh ? 1 : 0);
    return level;
  }

  /**
   * Delivers a message-signalled interrupt.
   *
   * <p>KVM_SIGNAL_MSI, virt/kvm/irqchip.c:kvm_send_userspace_msi.
   *
   * @param address where the message is written
   * @param data what is written
   * @param deviceId whose message it is, for interrupt controllers that ask (not on x86)
   * @return to how many vCPUs it was delivered; 0 if the guest blocked it, or has no vCPU of that
   *     id
   * @throws KernelException EINVAL: no interrupt controller in the kernel; EPERM: the VM has no
   *     vCPU, or a broadcast or a logical destination finds none
   */
  public int signalMsi(long address, int data, OptionalInt deviceId) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment msi = kvm_msi.allocate(arena);
      kvm_msi.address_lo(msi, (int) address);
      kvm_msi.address_hi(msi, (int) (address >>> Integer.SIZE));
      kvm_msi.data(msi, data);
      deviceId.ifPresent(id -> {
        kvm_msi.flags(msi, Kvm.KVM_MSI_VALID_DEVID());
        kvm_msi.devid(msi, id);
      });
      return vm.ioctl(KvmIoctls.KVM_SIGNAL_MSI, msi);
    }
  }

  /**
   * Lets an eventfd raise an edge of a GSI whenever it is signalled, without leaving the kernel.
   *
   * <p>KVM_IRQFD, virt/kvm/eventfd.c:kvm_irqfd_assign.
   *
   * @param gsi one that has no route raises nothing
   * @throws KernelException EBUSY: the eventfd has a GSI already, of this VM or another; EINVAL: no
   *     interrupt controller in the kernel
   */
  public KvmEvent irqfd(EventFd source, int gsi) {
    return irqfd(source, gsi, Optional.empty());
  }

  /**
   * Lets an eventfd raise a level-triggered GSI, which falls when the guest ends the interrupt. The
   * kernel then signals a second eventfd, so that the source is asked again: given to VFIO as what
   * unmasks INTx, it raises the line again if the device still demands it.
   *
   * <p>KVM_IRQFD with KVM_IRQFD_FLAG_RESAMPLE, virt/kvm/eventfd.c:irqfd_resampler_ack.
   *
   * @throws KernelException as for {@link #irqfd(EventFd, int)}; EINVAL: the controller is split
   */
  public KvmEvent irqfd(EventFd source, int gsi, EventFd resample) {
    return irqfd(source, gsi, Optional.of(resample));
  }

  private KvmEvent irqfd(EventFd source, int gsi, Optional<EventFd> resample) {
    irqfd(source, gsi, 0, resample);
    return new KvmEvent(() -> irqfd(source, gsi, Kvm.KVM_IRQFD_FLAG_DEASSIGN(), Optional.empty()));
  }

  private void irqfd(EventFd source, int gsi, int flags, Optional<EventFd> resample) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment irqfd = kvm_irqfd.allocate(arena);
      kvm_irqfd.fd(irqfd, source.fd().number());
      kvm_irqfd.gsi(irqfd, gsi);
      kvm_irqfd.flags(irqfd, flags);
      resample.ifPresent(event -> {
        kvm_irqfd.flags(irqfd, flags | Kvm.KVM_IRQFD_FLAG_RESAMPLE());
        kvm_irqfd.resamplefd(irqfd, event.fd().number());
      });
      vm.ioctl(KvmIoctls.KVM_IRQFD, irqfd);
    }
  }

  /**
   * Makes the guest's writes to an address signal an eventfd instead of leaving the guest.
   *
   * <p>KVM_IOEVENTFD, virt/kvm/eventfd.c:kvm_assign_ioeventfd.
   *
   * @param address the guest-physical address, or the port
   * @param isPort whether it is a port
   * @param bytes the width of the write: 1, 2, 4 or 8; 0 for any
   * @param match only this value, if present
   * @throws KernelException EEXIST: there is one already; ENOSPC: the VM's bus has no room left;
   *     EINVAL: the width, or a value with width 0
   */
  public KvmEvent ioeventfd(
      EventFd event, long address, boolean isPort, int bytes, OptionalLong match) {
    int flags =
        (isPort ? Kvm.KVM_IOEVENTFD_FLAG_PIO() : 0)
            | (match.isPresent() ? Kvm.KVM_IOEVENTFD_FLAG_DATAMATCH() : 0);
    ioeventfd(event, address, flags, bytes, match);
    return new KvmEvent(
        () -> ioeventfd(event, address, flags | Kvm.KVM_IOEVENTFD_FLAG_DEASSIGN(), bytes, match));
  }

  private void ioeventfd(EventFd event, long address, int flags, int bytes, OptionalLong match) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ioeventfd = kvm_ioeventfd.allocate(arena);
      kvm_ioeventfd.fd(ioeventfd, event.fd().number());
      kvm_ioeventfd.addr(ioeventfd, address);
      kvm_ioeventfd.len(ioeventfd, bytes);
      kvm_ioeventfd.datamatch(ioeventfd, match.orElse(0));
      kvm_ioeventfd.flags(ioeventfd, flags);
      vm.ioctl(KvmIoctls.KVM_IOEVENTFD, ioeventfd);
    }
  }
}
