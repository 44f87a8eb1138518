package dev.iolite.vmm;

import dev.iolite.kernel.KernelException;
import dev.iolite.kvm.Exit;
import dev.iolite.kvm.GuestStoppedException;
import dev.iolite.kvm.Vcpu;
import dev.iolite.kvm.Vm;

/** A vCPU with its thread. */
final class Processor implements Runnable {
  /** KVM_HC_MAP_GPA_RANGE of linux/kvm_para.h, and its attribute of private memory. */
  private static final int MAP_GPA_RANGE = 12;

  private static final int ENCRYPTED = 1 << 4;
  private static final int PAGE_SHIFT = 12;

  private static final int EVENT_SHUTDOWN = 1;
  private static final int EVENT_RESET = 2;

  private final Vm vm;
  private final Vcpu vcpu;
  private final PortBus ports;
  private final PciBus pci;
  private final End end;

  Processor(Vm vm, Vcpu vcpu, PortBus ports, PciBus pci, End end) {
    this.vm = vm;
    this.vcpu = vcpu;
    this.ports = ports;
    this.pci = pci;
    this.end = end;
  }

  @Override
  public void run() {
    try {
      vcpu.run(this::handle);
    } catch (GuestStoppedException _) {
      // Another processor or stop() has ended the guest.
    } catch (RuntimeException | Error e) {
      end.failed(e);
    }
  }

  void stop() {
    vcpu.stop();
  }

  private boolean handle(Exit exit) {
    switch (exit) {
      case Exit.IoOut out -> ports.handle(out);
      case Exit.IoIn in -> ports.handle(in);
      case Exit.MmioRead read -> pci.handle(read);
      case Exit.MmioWrite write -> pci.handle(write);
      case Exit.Hypercall call when call.number() == MAP_GPA_RANGE -> convert(call);
      case Exit.MemoryFault fault -> vm.setPrivate(fault.gpa(), fault.bytes(), fault.isPrivate());
      case Exit.Shutdown _ -> end.with(Outcome.TRIPLE_FAULT);
      case Exit.SystemEvent event when event.type() == EVENT_SHUTDOWN ->
          end.with(Outcome.POWER_OFF);
      case Exit.SystemEvent event when event.type() == EVENT_RESET -> end.with(Outcome.RESET);
      default -> throw new GuestFailedException(vcpu.toString(), exit, where());
    }
    return !end.hasCome();
  }

  /** The guest asks for memory to be made private, or shared. */
  private void convert(Exit.Hypercall call) {
    long bytes = call.argument(1) << PAGE_SHIFT;
    try {
      vm.setPrivate(call.argument(0), bytes, (call.argument(2) & ENCRYPTED) != 0);
      call.respond(0);
    } catch (KernelException e) {
      call.respond(e.errno().negated());
    }
  }

  private String where() {
    try {
      return "rip=0x" + Long.toHexString(vcpu.registers().rip());
    } catch (KernelException _) {
      return "an address that is hidden from the host";
    }
  }
}
