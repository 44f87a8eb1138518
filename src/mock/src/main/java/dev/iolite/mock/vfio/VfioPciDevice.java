package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.AssignedDevice;
import dev.iolite.mock.core.AssignedDeviceCalls;
import dev.iolite.mock.core.GuestDevice;
import dev.iolite.mock.core.IommufdContext;
import dev.iolite.mock.core.KvmReference;
import dev.iolite.mock.core.Node;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.mock.pci.PciDev;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/**
 * A device of vfio-pci, from probe to remove (struct vfio_device): its references, who has opened
 * it, and the iommufd that it is bound to.
 */
final class VfioPciDevice implements AssignedDevice {
  private static final int MAJOR = 248;

  private final PciDev pci;
  private final int index;
  private final VfioDeviceSet set;
  private final VfioGroup group;
  private final VfioPciCore core;
  private final AssignedDeviceCalls calls;
  private int references;
  private boolean listed;
  private Optional<Runnable> onRelease = Optional.empty();
  private int openCount;
  private boolean isOpenedByItself;
  private Optional<IommufdContext> context = Optional.empty();
  private Optional<IommufdContext.BoundDevice> bound = Optional.empty();
  private final Set<Integer> pasids = new TreeSet<>();
  private Optional<KvmReference> kvm = Optional.empty();
  private final Optional<SharedToken> ownToken;
  private final Optional<SharedToken> physicalToken;

  /**
   * Makes a device.
   *
   * @param physical the device of the physical function, if this is one of its virtual functions
   *     and vfio-pci has the physical one
   */
  VfioPciDevice(
      Task task,
      PciDev pci,
      int index,
      VfioDeviceSet set,
      VfioGroup group,
      Optional<VfioPciDevice> physical,
      AssignedDeviceCalls calls) {
    this.calls = calls;
    physicalToken = physical.flatMap(device -> device.ownToken);
    ownToken =
        pci.bus().canHaveVirtualFunctions(pci)
            ? Optional.of(new SharedToken(UUID.randomUUID()))
            : Optional.empty();
    this.pci = pci;
    this.index = index;
    this.set = set;
    this.group = group;
    core = new VfioPciCore(task, this);
    set.join(this);
  }

  PciDev pci() {
    return pci;
  }

  int index() {
    return index;
  }

  /** The name of its node. */
  String name() {
    return "vfio" + index;
  }

  VfioDeviceSet set() {
    return set;
  }

  VfioGroup group() {
    return group;
  }

  /** The calls that the kernel has beyond 7.3. */
  AssignedDeviceCalls calls() {
    return calls;
  }

  @Override
  public TeeFunction function() {
    return pci.function();
  }

  @Override
  public Optional<KvmReference> kvm() {
    return kvm;
  }

  @Override
  public boolean hasLiveDmaBufs() {
    return core.dmaBufs().anyLive();
  }

  @Override
  public void revokeKinds() {
    core.dmaBufs().revokeKinds();
  }

  @Override
  public GuestDevice guestDevice(int id) {
    return context.orElseThrow(() -> refused(Errno.EINVAL)).guestDevice(id);
  }

  /** Its PCI part. */
  VfioPciCore core() {
    return core;
  }

  /** Whether it has a node that can be opened. */
  boolean isListed() {
    return listed;
  }

  int openCount() {
    return openCount;
  }

  // -- registration (drivers/vfio/vfio_main.c)

  /** __vfio_register_dev. */
  void register() {
    references = 1;
    listed = true;
    group.add(this);
    core.register();
    String target = "../".repeat(depth() + 2) + "class/vfio-dev";
    pci.files()
        .put(
            "vfio-dev",
            directory(
                name(),
                new Node.Directory(() ->
                    Map.of(
                        "dev",
                        text(MAJOR + ":" + index),
                        "device",
                        new Node.Link(() -> "../../../" + pci),
                        "subsystem",
                        new Node.Link(() -> target),
                        "uevent",
                        text(
                            "MAJOR=%d\nMINOR=%d\nDEVNAME=vfio/devices/%s"
                                .formatted(MAJOR, index, name()))))));
  }

  /** Its node in {@code /dev/vfio/devices}. */
  Node node(Task task) {
    return new Node.Device(() -> new VfioCdev(task, this), MAJOR, index);
  }

  private int depth() {
    return (int) pci.path().chars().filter(c -> c == '/').count() + 1;
  }

  private static Node directory(String name, Node child) {
    return new Node.Directory(() -> Map.of(name, child));
  }

  private static Node text(String text) {
    return new Node.Text(dev.iolite.mock.core.Attribute.readable(() -> text));
  }

  /** vfio_device_try_get_registration. */
  boolean tryGet() {
    if (references == 0) {
      return false;
    }
    references++;
    return true;
  }

  /** vfio_device_put_registration. */
  void put() {
    if (--references == 0) {
      onRelease.ifPresent(Runnable::run);
    }
  }

  /**
   * vfio_unregister_group_dev: nobody can open it any more, and those who have it open are asked to
   * close it.
   *
   * @param released called when nobody refers to it any longer
   */
  void unregister(Runnable released) {
    listed = false;
    group.hide(this);
    pci.files().remove("vfio-dev");
    onRelease = Optional.of(released);
    put();
    if (references > 0) {
      core.irqs().askForRelease();
    }
  }

  // -- opening

  /** drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_match_token_uuid. */
  void requireToken(Optional<UUID> given) {
    if (physicalToken.isPresent()) {
      refuseIf(!physicalToken.get().matches(given), Errno.EACCES);
    } else if (ownToken.isPresent()) {
      refuseIf(!ownToken.get().takes(given), Errno.EACCES);
    } else {
      refuseIf(given.isPresent(), Errno.EINVAL);
    }
  }

  /**
   * Whether a name that VFIO_GROUP_GET_DEVICE_FD was given is its name, perhaps with a token
   * (vfio_pci_core.c:vfio_pci_core_match).
   *
   * @throws Refused EINVAL: what follows the name is unknown, or no token; EACCES: it is not the
   *     token
   */
  boolean matches(String wanted) {
    String name = pci.address().toString();
    if (!wanted.startsWith(name)) {
      return false;
    }
    String options = wanted.substring(name.length());
    if (!options.isEmpty() && options.charAt(0) != ' ') {
      return false;
    }
    requireToken(SharedToken.in(options));
    return true;
  }

  /**
   * vfio_df_open, for a file of its own.
   *
   * @param fileKvm the VM that the file was given
   * @return the device's id in the iommufd
   */
  int open(IommufdContext iommufd, Optional<KvmReference> fileKvm) {
    refuseIf(openCount != 0, Errno.EINVAL);
    firstOpen(Optional.of(iommufd), fileKvm);
    isOpenedByItself = true;
    openCount = 1;
    return bound().orElseThrow().id();
  }

  /**
   * drivers/vfio/group.c:vfio_df_group_open: the group's devices may be opened several times.
   *
   * @throws Refused EINVAL: the group or its container has no IOMMU; ENODEV: the iommufd has no
   *     IOAS for it; what a bind or an attach says
   */
  void openThroughGroup() {
    refuseIf(!group.hasIommu(), Errno.EINVAL);
    if (openCount > 0) {
      openCount++;
      return;
    }
    firstOpen(group.iommufd(), group.kvm());
    openCount = 1;
    try {
      bound.ifPresent(device -> device.attach(context.orElseThrow().vfioIoasId()));
    } catch (Refused e) {
      close();
      throw e;
    }
  }

  /** Whether it was opened through its own file (vfio_device_cdev_opened). */
  boolean isOpenedByItself() {
    return isOpenedByItself;
  }

  /** vfio_df_device_first_open. */
  private void firstOpen(Optional<IommufdContext> iommufd, Optional<KvmReference> vm) {
    if (iommufd.isPresent()) {
      bound = Optional.of(iommufd.get().bind(pci.function()));
      context = iommufd;
    } else {
      group.use();
    }
    try {
      core.enable();
    } catch (Refused e) {
      leaveIommu();
      throw e;
    }
    physicalToken.ifPresent(token -> token.addUser(1));
    kvm = vm;
    kvm.ifPresent(KvmReference::getKvm);
    calls.opened(this);
  }

  /** vfio_df_close and vfio_df_device_last_close. */
  void close() {
    if (openCount > 1) {
      openCount--;
      return;
    }
    physicalToken.ifPresent(token -> token.addUser(-1));
    core.close();
    leaveIommu();
    calls.closed(this);
    isOpenedByItself = false;
    kvm.ifPresent(KvmReference::putKvm);
    kvm = Optional.empty();
    openCount = 0;
  }

  private void leaveIommu() {
    if (bound.isPresent()) {
      unbind();
    } else {
      group.unuse();
    }
  }

  /** drivers/vfio/iommufd.c:vfio_iommufd_physical_unbind. */
  private void unbind() {
    bound.ifPresent(device -> {
      pasids.forEach(device::detachPasid);
      pasids.clear();
      if (device.isAttached()) {
        device.detach();
      }
      device.unbind();
    });
    bound = Optional.empty();
    context = Optional.empty();
  }

  /** drivers/vfio/iommufd.c:vfio_iommufd_physical_pasid_attach_ioas. */
  int attachPasid(int pasid, int pageTable) {
    int used = bound().orElseThrow().attachPasid(pasid, pageTable);
    pasids.add(pasid);
    return used;
  }

  /** drivers/vfio/iommufd.c:vfio_iommufd_physical_pasid_detach_ioas. */
  void detachPasid(int pasid) {
    if (pasids.remove(pasid)) {
      bound().orElseThrow().detachPasid(pasid);
    }
  }

  /** The iommufd that it is bound to. */
  Optional<IommufdContext> context() {
    return context;
  }

  /** The device in the iommufd that it is bound to. */
  Optional<IommufdContext.BoundDevice> bound() {
    return bound;
  }
}
