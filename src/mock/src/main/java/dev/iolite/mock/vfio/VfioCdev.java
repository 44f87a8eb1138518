package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.IommufdContext;
import dev.iolite.mock.core.KvmReference;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.VfioFile;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_attach_iommufd_pt;
import dev.iolite.uapi.vfio.vfio_device_bind_iommufd;
import dev.iolite.uapi.vfio.vfio_device_detach_iommufd_pt;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.UUID;

/**
 * An open {@code /dev/vfio/devices/vfioN} (struct vfio_device_file): useless until it is bound to
 * an iommufd (drivers/vfio/device_cdev.c, drivers/vfio/vfio_main.c).
 */
final class VfioCdev extends VfioDeviceFile implements VfioFile {
  private static final int BIND = Vfio.VFIO_DEVICE_BIND_IOMMUFD();
  private static final int ATTACH = Vfio.VFIO_DEVICE_ATTACH_IOMMUFD_PT();
  private static final int DETACH = Vfio.VFIO_DEVICE_DETACH_IOMMUFD_PT();

  private static final long ATTACH_LEAST =
      vfio_device_attach_iommufd_pt.pt_id$offset() + Integer.BYTES;
  private static final long ATTACH_PASID =
      vfio_device_attach_iommufd_pt.pasid$offset() + Integer.BYTES;
  private static final long DETACH_LEAST =
      vfio_device_detach_iommufd_pt.flags$offset() + Integer.BYTES;
  private static final long DETACH_PASID =
      vfio_device_detach_iommufd_pt.pasid$offset() + Integer.BYTES;
  private static final ValueLayout.OfLong BIG_ENDIAN =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private Optional<IommufdContext> iommufd = Optional.empty();
  private Optional<KvmReference> kvm = Optional.empty();

  /** vfio_device_fops_cdev_open: ENODEV if the device is being removed. */
  VfioCdev(Task task, VfioPciDevice device) {
    super(task, device);
    refuseIf(!device.tryGet(), Errno.ENODEV);
  }

  @Override
  public String name() {
    return "/dev/vfio/devices/" + device().name();
  }

  @Override
  public void setKvm(Optional<KvmReference> vm) {
    kvm = vm;
  }

  /** vfio_device_fops_release. */
  @Override
  protected void release() {
    iommufd.ifPresent(context -> {
      device().close();
      device().group().unblock();
      context.put();
    });
    iommufd = Optional.empty();
    device().put();
  }

  @Override
  boolean isUsable() {
    return iommufd.isPresent();
  }

  /** vfio_device_fops_unl_ioctl: an unbound file accepts only one command. */
  @Override
  public int ioctl(int request, long argument) {
    return request == BIND ? bind(argument) : super.ioctl(request, argument);
  }

  @Override
  int command(int request, long argument) {
    if (request == ATTACH) {
      return attach(argument);
    }
    return request == DETACH ? detach(argument) : super.command(request, argument);
  }

  /** vfio_df_ioctl_bind_iommufd. */
  private int bind(long address) {
    MemorySegment bind = UserStructs.bind(task(), address);
    device().group().block();
    try {
      open(address, bind);
    } catch (Refused e) {
      device().group().unblock();
      throw e;
    }
    return 0;
  }

  private void open(long address, MemorySegment bind) {
    refuseIf(isUsable(), Errno.EINVAL);
    device().requireToken(token(bind));
    IommufdContext context =
        task()
            .descriptors()
            .get(vfio_device_bind_iommufd.iommufd(bind), IommufdContext.class)
            .orElseThrow(() -> refused(Errno.EBADFD));
    int id = device().open(context, kvm);
    try {
      MemorySegment out = task().scratch(Integer.BYTES);
      out.set(ValueLayout.JAVA_INT, 0, id);
      task().out(address + vfio_device_bind_iommufd.out_devid$offset(), out);
    } catch (Refused e) {
      device().close();
      throw e;
    }
    context.get();
    iommufd = Optional.of(context);
  }

  /** vfio_df_check_token: a UUID's bytes are in the order of its text. */
  private Optional<UUID> token(MemorySegment bind) {
    if ((vfio_device_bind_iommufd.flags(bind) & Vfio.VFIO_DEVICE_BIND_FLAG_TOKEN()) == 0) {
      return Optional.empty();
    }
    MemorySegment bytes = task().in(vfio_device_bind_iommufd.token_uuid_ptr(bind), 2 * Long.BYTES);
    return Optional.of(new UUID(bytes.get(BIG_ENDIAN, 0), bytes.get(BIG_ENDIAN, Long.BYTES)));
  }

  private IommufdContext.BoundDevice bound() {
    return device().bound().orElseThrow();
  }

  /** vfio_df_ioctl_attach_pt. */
  private int attach(long address) {
    MemorySegment attach = UserStructs.head(task(), address, ATTACH_LEAST);
    int attachFlags = vfio_device_attach_iommufd_pt.flags(attach);
    refuseIf((attachFlags & ~Vfio.VFIO_DEVICE_ATTACH_PASID()) != 0, Errno.EINVAL);
    int pageTable = vfio_device_attach_iommufd_pt.pt_id(attach);
    int used;
    if ((attachFlags & Vfio.VFIO_DEVICE_ATTACH_PASID()) != 0) {
      MemorySegment whole = UserStructs.head(task(), address, ATTACH_PASID);
      used = device().attachPasid(vfio_device_attach_iommufd_pt.pasid(whole), pageTable);
    } else {
      used = bound().attach(pageTable);
    }
    try {
      MemorySegment out = task().scratch(Integer.BYTES);
      out.set(ValueLayout.JAVA_INT, 0, used);
      task().out(address + vfio_device_attach_iommufd_pt.pt_id$offset(), out);
    } catch (Refused e) {
      detachIfAttached();
      throw e;
    }
    return 0;
  }

  /** vfio_df_ioctl_detach_pt. */
  private int detach(long address) {
    MemorySegment detach = UserStructs.head(task(), address, DETACH_LEAST);
    int detachFlags = vfio_device_detach_iommufd_pt.flags(detach);
    refuseIf((detachFlags & ~Vfio.VFIO_DEVICE_DETACH_PASID()) != 0, Errno.EINVAL);
    if ((detachFlags & Vfio.VFIO_DEVICE_DETACH_PASID()) != 0) {
      MemorySegment whole = UserStructs.head(task(), address, DETACH_PASID);
      device().detachPasid(vfio_device_detach_iommufd_pt.pasid(whole));
    } else {
      detachIfAttached();
    }
    return 0;
  }

  private void detachIfAttached() {
    if (bound().isAttached()) {
      bound().detach();
    }
  }
}
