package dev.iolite.tdi.host;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import dev.iolite.kvm.GuestMemfd;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.MemorySlot;
import dev.iolite.kvm.Vcpu;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmLaunch;
import dev.iolite.kvm.VmType;
import dev.iolite.steps.HostSteps;
import dev.iolite.steps.Steps;
import dev.iolite.tdi.AssignmentOptions;
import dev.iolite.tdi.TdiStep;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.ledger.Ledger;
import dev.iolite.tdi.ledger.SlotAccess;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The guest: a VM of a given type, with memory from address 0 on and one vCPU. In a confidential VM
 * all memory is private until the guest shares it.
 */
public final class GuestMachine {
  /** How many of the VM's slots its memory takes. */
  static final int RAM_SLOTS = 1;

  private final VmLaunch launch;
  private final Mapping memory;

  private GuestMachine(VmLaunch launch, Mapping memory) {
    this.launch = launch;
    this.memory = memory;
  }

  static GuestMachine make(Steps steps, AssignmentOptions options) {
    Kvm kvm = HostSteps.openKvm(steps);
    VmLaunch launch =
        steps.open(
            TdiStep.MAKE_VM,
            () -> {
              requireType(kvm, options.vmType());
              return VmLaunch.begin(kvm, options.vmType());
            },
            made -> made.vm().toString(),
            "closed");
    return new GuestMachine(launch, HostSteps.makeRam(steps, options.ramBytes()));
  }

  private static void requireType(Kvm kvm, VmType type) {
    Set<VmType> types = kvm.vmTypes();
    if (type != VmType.DEFAULT && !types.contains(type)) {
      throw new PreconditionException(
          "make a virtual machine of type " + type,
          "KVM offers " + types,
          new Advice(
              "this platform does not protect guests so, or it is switched off in firmware or KVM",
              "dmesg has KVM's reason",
              Remedy.SHOW_KVM));
    }
  }

  /** Finishes the launch: the guest can now run. */
  void finish(Steps steps) {
    steps.step(TdiStep.FINISH_LAUNCH, "its vCPU can run", launch::finish);
  }

  /** Whether its memory has a private half. */
  private boolean hasPrivateMemory() {
    return vm().type() != VmType.DEFAULT;
  }

  /** Gives the guest its memory, and gives the IOAS the shared part of it. */
  void giveRam(Steps steps, GuestRam ram, Ledger ledger) {
    long bytes = memory.bytes();
    Kind kind = hasPrivateMemory() ? Kind.PRIVATE : Kind.SHARED;
    ledger.addRegion("RAM", 0, bytes, kind);
    steps.onClose(() -> ledger.removeRegion("RAM"));
    if (hasPrivateMemory()) {
      GuestMemfd file =
          steps.open(
              TdiStep.MAKE_PRIVATE_MEMORY,
              () -> vm().createGuestMemfd(bytes),
              GuestMemfd::toString,
              "freed");
      giveSlot(steps, ledger, () -> vm().addPrivateSlot(0, bytes, memory.address(), file, 0));
      steps.afterwards(TdiStep.UNMAP_SHARED_MEMORY, "unmapped", ram::unmapAll);
      steps.step(TdiStep.MAKE_MEMORY_PRIVATE, "all of it", () -> vm().setPrivate(0, bytes, true));
    } else {
      giveSlot(steps, ledger, () -> vm().addSlot(0, bytes, memory.address()));
      steps.undo(TdiStep.MAP_MEMORY_FOR_DMA, "unmapped", ram::unmapAll);
      steps.step(TdiStep.MAP_MEMORY_FOR_DMA, "all of it", ram::mapAll);
    }
  }

  private SlotAccess access() {
    return hasPrivateMemory() ? SlotAccess.BOTH : SlotAccess.SHARED;
  }

  private void giveSlot(Steps steps, Ledger ledger, Supplier<MemorySlot> maker) {
    CloseStack open = new CloseStack();
    steps.step(
        TdiStep.ADD_MEMORY_SLOT,
        () -> {
          MemorySlot slot = maker.get();
          open.push(slot);
          steps.undo(TdiStep.ADD_MEMORY_SLOT, "deleted", open::close);
          ledger.slotAdded(slot.number(), slot.gpa(), slot.bytes(), access(), Optional.empty());
          open.onClose(() -> ledger.slotDeleted(slot.number(), slot.gpa()));
          return slot;
        },
        MemorySlot::toString);
  }

  Vm vm() {
    return launch.vm();
  }

  Mapping memory() {
    return memory;
  }

  Vcpu vcpu() {
    return launch.vcpu();
  }
}
