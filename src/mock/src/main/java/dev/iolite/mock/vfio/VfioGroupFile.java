package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.IommufdContext;
import dev.iolite.mock.core.KvmReference;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.VfioFile;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_group_status;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** An open {@code /dev/vfio/GROUP} (drivers/vfio/group.c:vfio_group_fops). */
final class VfioGroupFile extends OpenFile implements VfioFile {
  private static final int VIABLE = Vfio.VFIO_GROUP_FLAGS_VIABLE();
  private static final int CONTAINER_SET = Vfio.VFIO_GROUP_FLAGS_CONTAINER_SET();

  private final VfioGroup group;

  VfioGroupFile(Task task, VfioGroup group) {
    super(task);
    this.group = group;
  }

  @Override
  public String name() {
    return "/dev/vfio/" + group.name();
  }

  VfioGroup group() {
    return group;
  }

  @Override
  public void setKvm(Optional<KvmReference> vm) {
    group.setKvm(vm);
  }

  @Override
  protected void release() {
    group.closed();
  }

  /** vfio_group_fops_unl_ioctl. */
  @Override
  public int ioctl(int request, long argument) {
    if (request == Vfio.VFIO_GROUP_GET_DEVICE_FD()) {
      return openDevice(name(argument));
    } else if (request == Vfio.VFIO_GROUP_GET_STATUS()) {
      tellStatus(argument);
    } else if (request == Vfio.VFIO_GROUP_SET_CONTAINER()) {
      setContainer(task().in(argument, Integer.BYTES).get(ValueLayout.JAVA_INT, 0));
    } else if (request == Vfio.VFIO_GROUP_UNSET_CONTAINER()) {
      group.leave();
    } else {
      throw refused(Errno.ENOTTY);
    }
    return 0;
  }

  /** vfio_group_ioctl_get_status: it is viable if nobody else has its DMA. */
  private void tellStatus(long address) {
    MemorySegment status = UserStructs.head(task(), address, vfio_group_status.sizeof());
    refuseIf(!group.isAlive(), Errno.ENODEV);
    int flags =
        group.hasIommu() ? CONTAINER_SET | VIABLE : group.iommuGroup().isClaimed() ? 0 : VIABLE;
    vfio_group_status.flags(status, flags);
    task().out(address, status);
  }

  /** vfio_group_ioctl_set_container. */
  private void setContainer(int fd) {
    OpenFile file = task().descriptors().get(fd);
    refuseIf(group.hasIommu(), Errno.EINVAL);
    refuseIf(!group.isAlive(), Errno.ENODEV);
    switch (file) {
      case ContainerFile container -> group.enter(container);
      case IommufdContext iommufd -> group.take(iommufd);
      default -> throw refused(Errno.EBADFD);
    }
  }

  /** Reads a string of at most a page, with its zero (strndup_user). */
  private String name(long address) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    while (text.size() < Page.BYTES) {
      byte next = task().in(address + text.size(), 1).get(ValueLayout.JAVA_BYTE, 0);
      if (next == 0) {
        return text.toString(StandardCharsets.ISO_8859_1);
      }
      text.write(next);
    }
    throw refused(Errno.EINVAL);
  }

  /** vfio_group_ioctl_get_device_fd. */
  private int openDevice(String wanted) {
    for (VfioPciDevice device : group.devices()) {
      if (device.matches(wanted) && device.tryGet()) {
        try {
          return openDevice(device);
        } catch (Refused e) {
          device.put();
          throw e;
        }
      }
    }
    throw refused(Errno.ENODEV);
  }

  private int openDevice(VfioPciDevice device) {
    device.openThroughGroup();
    VfioGroupDevice file = new VfioGroupDevice(task(), device);
    try {
      return task().descriptors().install(file);
    } catch (Refused e) {
      device.close();
      throw e;
    }
  }
}
