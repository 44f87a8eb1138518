package dev.iolite.kvm;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.kvm_pit_state;
import dev.iolite.uapi.kvm.kvm_reinject_control;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The programmable interval timer, by the calls that are older than those of {@link VmInterrupts},
 * and what becomes of ticks that the guest misses. Made by {@link Vm#pit}.
 *
 * <p>Safe for use by several threads.
 */
public final class Pit {
  private static final int CHANNELS = 3;

  private final Fd vm;

  Pit(Fd vm) {
    this.vm = vm;
  }

  /**
   * Makes the timer, with a speaker that makes no sound.
   *
   * <p>KVM_CREATE_PIT, arch/x86/kvm/x86.c:kvm_arch_vm_ioctl.
   *
   * @throws KernelException EEXIST: there is one; ENOENT: the VM has no interrupt controller
   */
  public void create() {
    vm.ioctl(KvmIoctls.KVM_CREATE_PIT, 0);
  }

  /**
   * Its three channels.
   *
   * <p>KVM_GET_PIT, arch/x86/kvm/i8254.c:kvm_vm_ioctl_get_pit.
   *
   * @throws KernelException ENXIO: the VM has no timer
   */
  public List<PitState.Channel> channels() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = kvm_pit_state.allocate(arena);
      vm.ioctl(KvmIoctls.KVM_GET_PIT, state);
      return IntStream.range(0, CHANNELS)
          .mapToObj(i -> PitState.Channel.of(kvm_pit_state.channels(state, i)))
          .toList();
    }
  }

  /**
   * Sets its three channels, which start to count anew.
   *
   * <p>KVM_SET_PIT, arch/x86/kvm/i8254.c:kvm_vm_ioctl_set_pit.
   *
   * @throws KernelException ENXIO: the VM has no timer
   * @throws IllegalArgumentException if they are not three
   */
  public void setChannels(List<PitState.Channel> channels) {
    if (channels.size() != CHANNELS) {
      throw new IllegalArgumentException("the PIT has 3 channels, not " + channels.size());
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = kvm_pit_state.allocate(arena);
      for (int i = 0; i < CHANNELS; i++) {
        channels.get(i).store(kvm_pit_state.channels(state, i));
      }
      vm.ioctl(KvmIoctls.KVM_SET_PIT, state);
    }
  }

  /**
   * Sets whether the guest gets the ticks that it missed when it runs again, as it does at first.
   *
   * <p>KVM_REINJECT_CONTROL, arch/x86/kvm/i8254.c:kvm_vm_ioctl_reinject.
   *
   * @throws KernelException ENXIO: the VM has no timer
   */
  public void reinjectTicks(boolean on) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment control = kvm_reinject_control.allocate(arena);
      kvm_reinject_control.pit_reinject(control, (byte) (on ? 1 : 0));
      vm.ioctl(KvmIoctls.KVM_REINJECT_CONTROL, control);
    }
  }
}
