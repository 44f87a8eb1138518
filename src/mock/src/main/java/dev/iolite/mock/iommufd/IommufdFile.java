package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.GuestDevice;
import dev.iolite.mock.core.GuestDeviceCalls;
import dev.iolite.mock.core.IommuDevice;
import dev.iolite.mock.core.IommufdContext;
import dev.iolite.mock.core.MapRequest;
import dev.iolite.mock.core.MappedObject;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.libc.Libc;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** An open {@code /dev/iommu} (struct iommufd_ctx). */
final class IommufdFile extends IommufdContext {
  private final IommuPlatform platform;
  private final CommandTable commands;
  private final ObjectTable objects = new ObjectTable();
  private final DeviceGroups groups = new DeviceGroups();
  private final Ucmd ucmd;
  private Optional<IommufdIoas> vfioIoas = Optional.empty();
  private boolean accountsToProcess;

  /** Makes a context without objects (main.c:iommufd_fops_open). */
  IommufdFile(Task task, IommuPlatform platform, CommandTable commands) {
    super(task);
    this.platform = platform;
    this.commands = commands;
    ucmd = new Ucmd(this, task);
  }

  @Override
  public String name() {
    return "/dev/iommu";
  }

  Task process() {
    return task();
  }

  IommuPlatform platform() {
    return platform;
  }

  /** Who else is notified of vDEVICEs. */
  GuestDeviceCalls guestDeviceCalls() {
    return commands.calls();
  }

  ObjectTable objects() {
    return objects;
  }

  DeviceGroups groups() {
    return groups;
  }

  /** The IOAS of VFIO's old calls; empty if none was set or it was destroyed. */
  Optional<IommufdIoas> vfioIoas() {
    return vfioIoas.filter(ioas -> ioas.equals(objects.find(ioas.id())));
  }

  void setVfioIoas(Optional<IommufdIoas> ioas) {
    vfioIoas = ioas;
  }

  /** Whether pinned memory is accounted to the process (RLIMIT_MODE 1). */
  boolean accountsToProcess() {
    return accountsToProcess;
  }

  void setAccountsToProcess(boolean toProcess) {
    accountsToProcess = toProcess;
  }

  /** Keeps the context open for one more object (main.c:iommufd_ctx_get). */
  void keepOpen() {
    get();
  }

  /** Undoes {@link #keepOpen} once (main.c:iommufd_ctx_put). */
  void letClose() {
    put();
  }

  /** main.c:iommufd_fops_ioctl. */
  @Override
  public int ioctl(int request, long argument) {
    Command command = commands.of(request);
    if (command == null) {
      return VfioCompat.ioctl(this, request, argument);
    }
    ucmd.read(command, request, argument);
    command.body().execute(ucmd);
    return ucmd.result();
  }

  /** main.c:iommufd_fops_mmap: only what a vIOMMU's driver has offered; none offers anything. */
  @Override
  public MappedObject mmap(MapRequest request) {
    refuseIf((request.flags() & Libc.MAP_SHARED()) == 0, Errno.EINVAL);
    refuseIf((request.protection() & Libc.PROT_EXEC()) != 0, Errno.EPERM);
    throw refused(Errno.ENXIO);
  }

  @Override
  public void makeVfioIoas() {
    if (vfioIoas().isEmpty()) {
      IommufdIoas ioas = new IommufdIoas(this);
      objects.allocate(ioas);
      objects.publish(ioas);
      vfioIoas = Optional.of(ioas);
    }
  }

  @Override
  public int vfioIoasId() {
    return VfioCompat.ioas(this).id();
  }

  @Override
  public GuestDevice guestDevice(int id) {
    return objects.get(id, IommufdVdevice.class);
  }

  @Override
  public BoundDevice bind(IommuDevice device) {
    return IommufdDevice.bind(this, device);
  }

  /** Its objects, each with what is mapped in it. */
  @Override
  protected List<String> held() {
    List<String> held = new ArrayList<>();
    for (ContextObject object : objects.all()) {
      held.add(object.toString());
      if (object instanceof IommufdIoas ioas) {
        ioas.table().mapped().forEach(range -> held.add(range + " in " + ioas));
      }
    }
    return held;
  }

  /** main.c:iommufd_fops_release. */
  @Override
  protected void release() {
    objects.destroyAll();
  }
}
