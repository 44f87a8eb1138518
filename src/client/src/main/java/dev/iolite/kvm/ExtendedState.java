package dev.iolite.kvm;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.kvm_xcr;
import dev.iolite.uapi.kvm.kvm_xcrs;
import dev.iolite.uapi.kvm.kvm_xsave;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.IntSupplier;

/**
 * The extended state of a vCPU: its XSAVE area and XCR0. Made by {@link Vcpu#extendedState}.
 *
 * <p>Like its vCPU, for use by one thread at a time.
 */
public final class ExtendedState {
  private final Fd vcpu;
  private final IntSupplier fullBytes;

  /**
   * Of a vCPU.
   *
   * @param fullBytes asks for the size of a whole area: the kernel fills it whatever the buffer's
   */
  ExtendedState(Fd vcpu, IntSupplier fullBytes) {
    this.vcpu = vcpu;
    this.fullBytes = fullBytes;
  }

  /**
   * The XSAVE area in its standard format, of 4096 bytes.
   *
   * <p>KVM_GET_XSAVE, arch/x86/kvm/x86.c:kvm_vcpu_ioctl_x86_get_xsave.
   *
   * @throws KernelException EINVAL: the area of this vCPU is larger, as with AMX (see {@link
   *     #fullArea}), or the guest's state is protected from the host
   */
  public byte[] area() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment area = kvm_xsave.allocate(arena);
      vcpu.ioctl(KvmIoctls.KVM_GET_XSAVE, area);
      return area.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /**
   * The XSAVE area in its standard format, with all components: as many bytes as {@link
   * Capability#XSAVE2} says, which are more than 4096 with AMX.
   *
   * <p>KVM_GET_XSAVE2, since Linux 5.17, arch/x86/kvm/x86.c:kvm_vcpu_ioctl_x86_get_xsave2.
   *
   * @throws KernelException EINVAL: the guest's state is protected from the host, or the kernel has
   *     no such call
   */
  public byte[] fullArea() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment area = allocate(arena, 0);
      vcpu.ioctl(KvmIoctls.KVM_GET_XSAVE2, area);
      return area.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /**
   * Sets the XSAVE area.
   *
   * <p>KVM_SET_XSAVE, arch/x86/kvm/x86.c:kvm_vcpu_ioctl_x86_set_xsave.
   *
   * @param area as {@link #area} or {@link #fullArea} returned it; what it lacks of a whole area is
   *     0
   * @throws KernelException EINVAL: it has a component that KVM does not support, a bit of MXCSR is
   *     reserved, or the guest's state is protected from the host
   */
  public void setArea(byte[] area) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment argument = allocate(arena, area.length);
      argument.copyFrom(MemorySegment.ofArray(area));
      vcpu.ioctl(KvmIoctls.KVM_SET_XSAVE, argument);
    }
  }

  /** Memory for a whole area, and for as many bytes at least. */
  private MemorySegment allocate(Arena arena, int atLeast) {
    long bytes = Math.max(kvm_xsave.sizeof(), Math.max(fullBytes.getAsInt(), atLeast));
    return arena.allocate(bytes, kvm_xsave.layout().byteAlignment());
  }

  /**
   * XCR0, a bit for each component that the guest has enabled.
   *
   * <p>KVM_GET_XCRS, arch/x86/kvm/x86.c:kvm_vcpu_ioctl_x86_get_xcrs.
   *
   * @throws KernelException EINVAL: the guest's state is protected from the host
   * @throws UnsupportedOperationException if the host's processor has no XSAVE
   */
  public long xcr0() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment xcrs = kvm_xcrs.allocate(arena);
      vcpu.ioctl(KvmIoctls.KVM_GET_XCRS, xcrs);
      if (kvm_xcrs.nr_xcrs(xcrs) == 0) {
        throw new UnsupportedOperationException(vcpu + " has no XCR0: the host has no XSAVE");
      }
      return kvm_xcr.value(kvm_xcrs.xcrs(xcrs, 0));
    }
  }

  /**
   * Sets XCR0.
   *
   * <p>KVM_SET_XCRS, arch/x86/kvm/x86.c:kvm_vcpu_ioctl_x86_set_xcrs, __kvm_set_xcr.
   *
   * @param value a bit for each component; bit 0 is always set
   * @throws KernelException EINVAL: the vCPU's CPUID does not have a component, or one lacks those
   *     that it needs
   */
  public void setXcr0(long value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment xcrs = kvm_xcrs.allocate(arena);
      kvm_xcrs.nr_xcrs(xcrs, 1);
      kvm_xcr.value(kvm_xcrs.xcrs(xcrs, 0), value);
      vcpu.ioctl(KvmIoctls.KVM_SET_XCRS, xcrs);
    }
  }
}
