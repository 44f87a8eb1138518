package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.BarRange;
import dev.iolite.mock.core.KvmReference;
import dev.iolite.mock.core.MappingRequest;
import dev.iolite.mock.core.Memory;
import dev.iolite.mock.core.Reach;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * A VM (struct kvm). Its descriptor, its vCPUs' and devices' descriptors, its guest_memfds and
 * drivers refer to it; it is freed with the last of them.
 */
public final class KvmVm implements KvmReference {
  /** The bit of KVM_CAP_EXIT_HYPERCALL for all KVM_HC_TSM_* calls. */
  private static final long TSM_CALLS = 1L << TsmSeed2025.KVM_HC_TSM();

  private final KvmHost host;
  private final int type;
  private final int number;
  private final Protection protection;
  private int references = 1;
  private boolean dead;
  private final VmSettings settings = new VmSettings(this);
  private final MemorySlots slots = new MemorySlots(this);
  private final MemoryAttributes attributes = new MemoryAttributes(this);
  private final MmioPages mmioPages = new MmioPages();
  private final PrivateMappings privateMappings = new PrivateMappings();
  private final Ioeventfds ioeventfds = new Ioeventfds(this);
  private final TreeMap<Integer, KvmVcpu> vcpus = new TreeMap<>();
  private Optional<VfioKvmFile> vfioDevice = Optional.empty();
  private Optional<MappingRequest> mappingRequest = Optional.empty();
  private final Irqfds irqfds = new Irqfds(this);
  private final InterruptControllers interrupts = new InterruptControllers(this);
  private final InterruptRoutes routes = new InterruptRoutes(this);
  private final CoalescedZones coalescedZones = new CoalescedZones();
  private final DirtyRings dirtyRings = new DirtyRings(this);
  private final HyperVInterface hyperV = new HyperVInterface(this);
  private final VmClockState clock = new VmClockState();
  private MsrAccess msrAccess = MsrAccess.all();
  private boolean irqchip;
  private boolean splitIrqchip;
  private long hypercallExits;
  private long manualDirtyLog;

  private KvmVm(KvmHost host, int type) {
    this.host = host;
    this.type = type;
    number = host.nextVm();
    protection = protection();
  }

  /** arch/x86/kvm/x86.c:kvm_arch_init_vm, in vm_init of the vendor's module. */
  private Protection protection() {
    if (type == Kvm.KVM_X86_TDX_VM()) {
      return new TdxVm(this);
    }
    // On an Intel machine, a vCPU has the command but refuses it.
    return host.platform().hasSev()
        ? new SevVm(this)
        : Protection.none(host.platform().hasTdx() ? Errno.EINVAL : Errno.ENOTTY);
  }

  /** arch/x86/kvm/x86.c:kvm_arch_init_vm. The caller has the first reference. */
  static KvmVm create(KvmHost host, long type) {
    refuseIf(!host.platform().supports(type), Errno.EINVAL);
    return new KvmVm(host, (int) type);
  }

  Task task() {
    return host.task();
  }

  KvmHost host() {
    return host;
  }

  KvmPlatform platform() {
    return host.platform();
  }

  /** Its type, one of KVM_X86_*_VM. */
  public int type() {
    return type;
  }

  /** Its index among the VMs of its machine, from 0. */
  public int number() {
    return number;
  }

  /** What its guests reach, by address. */
  public List<GuestRange> layout() {
    return new GuestLayout(this).ranges();
  }

  /** What a TSM has mapped into it. */
  public PrivateMappings privateMappings() {
    return privateMappings;
  }

  Protection vendor() {
    return protection;
  }

  /** kvm_vm_dead: every call on the VM is EIO from now on. */
  void die() {
    dead = true;
    task().wake();
  }

  /** kvm_lock_all_vcpus. */
  void awaitIdleVcpus() {
    if (anyBusy()) {
      task().await(() -> !anyBusy());
    }
  }

  private boolean anyBusy() {
    return vcpus.values().stream().anyMatch(KvmVcpu::isBusy);
  }

  int vcpuCount() {
    return vcpus.size();
  }

  Iterable<KvmVcpu> vcpus() {
    return vcpus.values();
  }

  boolean isDead() {
    return dead;
  }

  VmSettings settings() {
    return settings;
  }

  MemorySlots slots() {
    return slots;
  }

  MemoryAttributes attributes() {
    return attributes;
  }

  MmioPages mmioPages() {
    return mmioPages;
  }

  Irqfds irqfds() {
    return irqfds;
  }

  InterruptControllers interrupts() {
    return interrupts;
  }

  InterruptRoutes routes() {
    return routes;
  }

  CoalescedZones coalescedZones() {
    return coalescedZones;
  }

  DirtyRings dirtyRings() {
    return dirtyRings;
  }

  HyperVInterface hyperV() {
    return hyperV;
  }

  MsrAccess msrAccess() {
    return msrAccess;
  }

  void setMsrAccess(MsrAccess access) {
    msrAccess = access;
  }

  VmClockState clock() {
    return clock;
  }

  Ioeventfds ioeventfds() {
    return ioeventfds;
  }

  /** kvm_arch_has_private_mem. */
  boolean hasPrivateMemory() {
    return type == Kvm.KVM_X86_SW_PROTECTED_VM()
        || type == Kvm.KVM_X86_SNP_VM()
        || type == Kvm.KVM_X86_TDX_VM();
  }

  boolean hasProtectedState() {
    return type == Kvm.KVM_X86_SEV_ES_VM()
        || type == Kvm.KVM_X86_SNP_VM()
        || type == Kvm.KVM_X86_TDX_VM();
  }

  /** kvm_arch_nr_memslot_as_ids: system management mode has its own address space. */
  int addressSpaces() {
    return hasPrivateMemory() ? 1 : 2;
  }

  int maxVcpus() {
    return type == Kvm.KVM_X86_TDX_VM() ? platform().processors() : platform().maxVcpus();
  }

  /** kvm_supported_mem_attributes. */
  long supportedAttributes() {
    return hasPrivateMemory() ? Kvm.KVM_MEMORY_ATTRIBUTE_PRIVATE() : 0;
  }

  /** kvm_gmem_get_supported_flags. */
  long guestMemfdFlags() {
    return Kvm.GUEST_MEMFD_FLAG_MMAP()
        | (hasPrivateMemory() ? 0 : Kvm.GUEST_MEMFD_FLAG_INIT_SHARED());
  }

  /** kvm_gfn_direct_bits: the pages that are another view of lower ones. */
  long aliasPages() {
    return protection.sharedPageBit();
  }

  /** kvm_dirty_log_manual_protect_and_init_set. */
  boolean dirtyLogStartsFull() {
    return manualDirtyLog == KvmCapabilities.MANUAL_DIRTY_LOG;
  }

  long manualDirtyLog() {
    return manualDirtyLog;
  }

  void manualDirtyLog(long options) {
    manualDirtyLog = options;
  }

  boolean hasIrqchip() {
    return irqchip;
  }

  boolean hasVcpus() {
    return !vcpus.isEmpty();
  }

  /** KVM_CAP_SPLIT_IRQCHIP: only the local APICs are in the kernel. */
  boolean hasSplitIrqchip() {
    return splitIrqchip;
  }

  void createIrqchip(boolean split) {
    irqchip = true;
    splitIrqchip = split;
    if (!split) {
      routes.setDefault();
    }
  }

  /** has_protected_eoi: the kernel does not see the guest's EOIs. */
  boolean hasProtectedEoi() {
    return type == Kvm.KVM_X86_TDX_VM();
  }

  /** guest_tsc_protected: KVM can't set the guest's time stamp counter. */
  boolean hasProtectedTsc() {
    return type == Kvm.KVM_X86_TDX_VM();
  }

  /** Whether a guest's accesses themselves state whether they are private. */
  boolean guestSaysPrivate() {
    return type == Kvm.KVM_X86_SNP_VM()
        || type == Kvm.KVM_X86_TDX_VM()
        || protection.memoryKey().isPresent();
  }

  /** user_exit_on_hypercall, for KVM_HC_MAP_GPA_RANGE. */
  boolean leavesForMapGpa() {
    return (hypercallExits & 1L << Hypercalls.MAP_GPA_RANGE) != 0;
  }

  /** Whether KVM_HC_TSM_* exit; they always do where KVM has no bit for them. */
  boolean leavesForTsm() {
    return ((hypercallExits | ~platform().hypercallExits()) & TSM_CALLS) != 0;
  }

  void hypercallExits(long mask) {
    hypercallExits = mask;
  }

  /**
   * virt/kvm/kvm_main.c:kvm_vm_ioctl_create_vcpu.
   *
   * @return its descriptor
   */
  int createVcpu(long id) {
    refuseIf(Long.compareUnsigned(id, platform().maxVcpuIds()) >= 0, Errno.EINVAL);
    refuseIf(vcpus.size() >= maxVcpus(), Errno.EINVAL);
    settings.requireVcpuId((int) id);
    refuseIf(vcpus.containsKey((int) id), Errno.EEXIST);
    protection.beforeVcpu();
    KvmVcpu vcpu = new KvmVcpu(this, (int) id, settings.isBootVcpu((int) id));
    try {
      int fd = host.install(new VcpuFile(vcpu));
      vcpus.put((int) id, vcpu);
      return fd;
    } catch (Refused e) {
      vcpu.destroy();
      throw e;
    }
  }

  /**
   * virt/kvm/vfio.c:kvm_vfio_create.
   *
   * @return its descriptor
   */
  int createVfioDevice() {
    refuseIf(vfioDevice.isPresent(), Errno.EBUSY);
    VfioKvmFile device = new VfioKvmFile(this);
    vfioDevice = Optional.of(device);
    return host.install(device);
  }

  void vfioDeviceReleased() {
    vfioDevice = Optional.empty();
  }

  /**
   * arch/x86/kvm/x86.c:____kvm_emulate_hypercall.
   *
   * @return whether it is answered, in kvm_run; if not, the guest exits
   */
  boolean hypercall(KvmRun run, boolean longMode, long call, long... arguments) {
    long flags = longMode ? Kvm.KVM_EXIT_HYPERCALL_LONG_MODE() : 0;
    if (Hypercalls.isTsm(call) && (hypercallExits & TSM_CALLS) != 0) {
      run.hypercall(call, flags, arguments);
      return false;
    }
    long answer = call == Hypercalls.VAPIC_POLL_IRQ ? 0 : Hypercalls.ENOSYS;
    if (call == Hypercalls.MAP_GPA_RANGE && leavesForMapGpa()) {
      long page = arguments[0] >>> 12;
      boolean whole = (arguments[0] & 0xfff) == 0;
      if (whole && Long.compareUnsigned(page + arguments[1], page) > 0) {
        run.hypercall(call, flags, arguments[0], arguments[1], arguments[2]);
        return false;
      }
      answer = Hypercalls.EINVAL;
    }
    run.hypercallResult(answer);
    return true;
  }

  /** Of a VM that software alone protects: virt/kvm/kvm_main.c:kvm_tsm_map_mmio. */
  @Override
  public void mapPrivate(long gpa, long bytes, Memory memory, String what, Supplier<Reach> reach) {
    refuseIf(!hasPrivateMemory(), Errno.EINVAL);
    if (mapsBySlots()) {
      slots.requireFree(gpa, bytes);
    }
    var mapping = new PrivateMappings.Mapping(gpa, bytes, memory, 0, what, reach);
    refuseIf(!privateMappings.map(mapping), Errno.EEXIST);
    mmioPages.slotsChanged();
  }

  /** Whether what a TSM maps are slots, so that no other slot can be there. */
  boolean mapsBySlots() {
    return type == Kvm.KVM_X86_SW_PROTECTED_VM();
  }

  @Override
  public void unmapPrivate(long gpa) {
    privateMappings.unmap(gpa);
    mmioPages.slotsChanged();
  }

  @Override
  public List<BarRange> privateSlots(TeeFunction function, int bar) {
    List<BarRange> parts = new ArrayList<>();
    for (KvmMemorySlot slot : slots.all()) {
      slot.dmaBuf()
          .ifPresent(its -> parts.addAll(its.privatePart(function, bar, slot.end() - slot.gpa())));
    }
    return parts;
  }

  @Override
  public Optional<MappingRequest> mappingRequest() {
    return mappingRequest;
  }

  /** Sets the request with which a realm's vCPU exits; empty once it was answered. */
  void setMappingRequest(Optional<MappingRequest> asked) {
    mappingRequest = asked;
  }

  /** kvm_get_kvm. */
  @Override
  public void getKvm() {
    references++;
  }

  /** kvm_put_kvm, kvm_destroy_vm. */
  @Override
  public void putKvm() {
    if (--references == 0) {
      ioeventfds.release();
      slots.release();
      vcpus.values().forEach(KvmVcpu::destroy);
      vcpus.clear();
      protection.release();
    }
  }
}
