package dev.iolite.vmm;

import dev.iolite.kernel.KernelException;
import dev.iolite.kvm.Exit;
import dev.iolite.kvm.GuestStoppedException;
import dev.iolite.kvm.Vcpu;
import java.util.Optional;

/** A vCPU with its thread. */
final class Processor implements Runnable {
  private static final int EVENT_SHUTDOWN = 1;
  private static final int EVENT_RESET = 2;

  private final Optional<PrivateMemory> privateMemory;
  private final Vcpu vcpu;
  private final PortBus ports;
  private final PciBus pci;
  private final End end;

  Processor(Optional<PrivateMemory> privateMemory, Vcpu vcpu, PortBus ports, PciBus pci, End end) {
    this.privateMemory = privateMemory;
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
      case Exit.Hypercall call when converts(call) -> privateMemory.orElseThrow().convert(call);
      case Exit.MemoryFault fault when isResolved(fault) -> {
        // The access is made again.
      }
      case Exit.Shutdown _ -> end.with(Outcome.TRIPLE_FAULT);
      case Exit.SystemEvent event when event.type() == EVENT_SHUTDOWN ->
          end.with(Outcome.POWER_OFF);
      case Exit.SystemEvent event when event.type() == EVENT_RESET -> end.with(Outcome.RESET);
      default -> throw new GuestFailedException(vcpu.toString(), exit, where());
    }
    return !end.hasCome();
  }

  private boolean converts(Exit.Hypercall call) {
    return privateMemory.isPresent() && PrivateMemory.isAsked(call);
  }

  private boolean isResolved(Exit.MemoryFault fault) {
    return privateMemory.filter(memory -> memory.isResolved(fault)).isPresent();
  }

  private String where() {
    try {
      return "rip=0x" + Long.toHexString(vcpu.registers().rip());
    } catch (KernelException _) {
      return "an address that is hidden from the host";
    }
  }
}
