package dev.iolite.mock.tsm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.AssignedDevice;
import dev.iolite.mock.core.DmaBufFile;
import dev.iolite.mock.core.DmaBufSlots;
import dev.iolite.mock.core.GuestDevice;
import dev.iolite.mock.core.GuestDeviceCalls.Call;
import dev.iolite.mock.core.GuestDeviceCalls.Command;
import dev.iolite.mock.core.KvmReference;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.uapi.catalog.TsmIntelRfc2025Ioctls;
import dev.iolite.uapi.tsmintelrfc2025.TsmIntelRfc2025;
import dev.iolite.uapi.tsmintelrfc2025.iommu_vdevice_tsm_guest_request;
import dev.iolite.uapi.tsmintelrfc2025.vfio_device_tsm_bind;
import dev.iolite.uapi.tsmintelrfc2025.vfio_device_tsm_unbind;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * The proposal in which VFIO binds and a private slot takes a whole dma-buf. It leaves the messages
 * of requests to the architecture; here, one without a request returns the interface's report, and
 * any other takes the state, 32 bits.
 */
final class IntelRfcUapi {
  private static final int BIND = (int) TsmIntelRfc2025Ioctls.VFIO_DEVICE_TSM_BIND.number();
  private static final int UNBIND = (int) TsmIntelRfc2025Ioctls.VFIO_DEVICE_TSM_UNBIND.number();
  private static final int DMABUF = (int) TsmIntelRfc2025.KVM_MEM_VFIO_DMABUF();

  private final Task task;
  private final LinkTsm tsm;
  private final AssignedTdis tdis;
  private final TsmRequests requests;

  private IntelRfcUapi(Task task, LinkTsm tsm) {
    this.task = task;
    this.tsm = tsm;
    tdis = new AssignedTdis(tsm);
    requests = new TsmRequests(task, tsm, false);
  }

  static TsmUapi of(Task task, LinkTsm tsm) {
    IntelRfcUapi uapi = new IntelRfcUapi(task, tsm);
    tsm.mapsBySlots();
    return new TsmUapi(
        VdeviceCalls.of(
            uapi.tdis,
            List.of(
                new Command(
                    TsmIntelRfc2025Ioctls.IOMMU_VDEVICE_TSM_GUEST_REQUEST,
                    "resp_uptr",
                    uapi::request))),
        uapi.new BindingDevices(),
        new Slots(),
        0);
  }

  /** VFIO with the two commands. */
  private final class BindingDevices extends NotedDevices {
    BindingDevices() {
      super(tdis);
    }

    @Override
    public int ioctl(AssignedDevice device, int request, long argument) {
      if (request == BIND) {
        bind(device, argument);
      } else if (request == UNBIND) {
        unbind(device, argument);
      } else {
        throw refused(Errno.ENOTTY);
      }
      return 0;
    }
  }

  /** EINVAL: wrong argsz or flags; ENOENT: no VM, or no such vDEVICE; EEXIST: already bound. */
  private void bind(AssignedDevice device, long argument) {
    long bytes = vfio_device_tsm_bind.sizeof();
    MemorySegment asked = task.in(argument, bytes);
    refuseIf(
        Integer.toUnsignedLong(vfio_device_tsm_bind.argsz(asked)) < bytes
            || vfio_device_tsm_bind.flags(asked) != 0,
        Errno.EINVAL);
    refuseIf(tsm.tdi(device.function()).isPresent(), Errno.EEXIST);
    KvmReference vm = device.kvm().orElseThrow(() -> refused(Errno.ENOENT));
    GuestDevice guest = device.guestDevice(vfio_device_tsm_bind.vdevice_id(asked));
    refuseIf(!guest.device().name().equals(device.function().name()), Errno.EINVAL);
    tsm.bind(device.function(), Optional.of(vm), (int) guest.virtualId(), true);
  }

  private void unbind(AssignedDevice device, long argument) {
    long bytes = vfio_device_tsm_unbind.sizeof();
    MemorySegment asked = task.in(argument, bytes);
    refuseIf(
        Integer.toUnsignedLong(vfio_device_tsm_unbind.argsz(asked)) < bytes
            || vfio_device_tsm_unbind.flags(asked) != 0,
        Errno.EINVAL);
    tsm.unbind(device.function());
  }

  /** ENOENT: no such vDEVICE, or not bound. */
  private int request(Call call) {
    MemorySegment asked = call.argument();
    GuestDevice device = call.guestDevice(iommu_vdevice_tsm_guest_request.vdevice_id(asked));
    TeeFunction function = tdis.bound(device).orElseThrow(() -> refused(Errno.ENOENT));
    var buffers =
        new TsmRequests.Buffers(
            iommu_vdevice_tsm_guest_request.req_uptr(asked),
            iommu_vdevice_tsm_guest_request.req_len(asked),
            iommu_vdevice_tsm_guest_request.resp_uptr(asked),
            iommu_vdevice_tsm_guest_request.resp_len(asked));
    return buffers.bytes() == 0
        ? requests.report(function, buffers)
        : requests.setState(function, buffers, _ -> {});
  }

  /** A slot takes a whole dma-buf, for private accesses; shared ones go to the host's address. */
  private static final class Slots implements DmaBufSlots {
    @Override
    public int flag() {
      return DMABUF;
    }

    @Override
    public int flags(boolean hasPrivateMemory) {
      return hasPrivateMemory ? DMABUF : 0;
    }

    @Override
    public Use check(DmaBufFile file, int flags, long offset, long bytes) {
      refuseIf(offset != 0 || bytes != file.bytes(), Errno.EINVAL);
      return new Use(true, false, false);
    }
  }
}
