package dev.iolite.differential;

import static dev.iolite.differential.Machine.name;

import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.kvm.kvm_userspace_memory_region2;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import dev.iolite.uapi.tsmseed2025.vfio_device_feature_dma_buf_runs;
import dev.iolite.uapi.tsmseed2025.vfio_dma_buf_get_runs;
import dev.iolite.uapi.tsmseed2025.vfio_dma_buf_run;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_feature;
import java.lang.foreign.MemorySegment;

/** The calls on dma-bufs of device memory, and the memory slots over them. */
final class BufCalls {
  private static final int MOST_RUNS = 8;
  private static final long HEAD_BYTES = vfio_device_feature.sizeof();

  private final Machine machine;

  BufCalls(Machine machine) {
    this.machine = machine;
  }

  String answer(Op op) {
    return switch (op.kind()) {
      case RUNS -> runs(op);
      case DEVICE_RUNS -> deviceRuns(op);
      case BUF_COMMAND -> name(command(op, (int) op.arg(1), 0));
      case BUF_SLOT -> slot(op);
      default -> throw new IllegalArgumentException(op.toString());
    };
  }

  private int command(Op op, int command, long argument) {
    return machine.kernel().ioctl(machine.bufs.get(op.arg(0)), command, argument);
  }

  private String runs(Op op) {
    MemorySegment into = machine.zeros(MOST_RUNS * vfio_dma_buf_run.sizeof());
    MemorySegment get = machine.struct(vfio_dma_buf_get_runs.layout());
    vfio_dma_buf_get_runs.nr_runs(get, (int) op.arg(1));
    vfio_dma_buf_get_runs.flags(get, (int) op.arg(2));
    vfio_dma_buf_get_runs.argsz(get, (int) op.arg(3));
    long to = op.arg(4) == 0 ? into.address() : machine.address(op.arg(4));
    vfio_dma_buf_get_runs.runs_uptr(get, to);
    int result = command(op, TsmSeed2025.VFIO_DMA_BUF_GET_RUNS(), get.address());
    return "%s %d %d%s"
        .formatted(
            name(result),
            vfio_dma_buf_get_runs.nr_runs(get),
            vfio_dma_buf_get_runs.region_index(get),
            told(into));
  }

  private String deviceRuns(Op op) {
    long head = HEAD_BYTES + vfio_device_feature_dma_buf_runs.sizeof();
    MemorySegment feature = machine.zeros(head + MOST_RUNS * vfio_dma_buf_run.sizeof());
    vfio_device_feature.argsz(feature, (int) (feature.byteSize() - op.arg(3)));
    vfio_device_feature.flags(
        feature, Vfio.VFIO_DEVICE_FEATURE_GET() | TsmSeed2025.VFIO_DEVICE_FEATURE_DMA_BUF_RUNS());
    MemorySegment get = feature.asSlice(HEAD_BYTES);
    vfio_device_feature_dma_buf_runs.dmabuf_fd(get, machine.bufs.get(op.arg(1)));
    vfio_device_feature_dma_buf_runs.nr_runs(get, (int) op.arg(2));
    int device = machine.devices.get(op.arg(0));
    int result = machine.ioctl(device, VfioIoctls.VFIO_DEVICE_FEATURE, feature);
    return "%s %d %d %x%s"
        .formatted(
            name(result),
            vfio_device_feature_dma_buf_runs.nr_runs(get),
            vfio_device_feature_dma_buf_runs.region_index(get),
            vfio_device_feature_dma_buf_runs.flags(get),
            told(feature.asSlice(head)));
  }

  private static String told(MemorySegment into) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < MOST_RUNS; i++) {
      MemorySegment run = vfio_dma_buf_run.asSlice(into, i);
      if (vfio_dma_buf_run.length(run) != 0) {
        text.append(
            " %x at %x, %x"
                .formatted(
                    vfio_dma_buf_run.bar_offset(run),
                    vfio_dma_buf_run.buf_offset(run),
                    vfio_dma_buf_run.length(run)));
      }
    }
    return text.toString();
  }

  private String slot(Op op) {
    MemorySegment region = machine.struct(kvm_userspace_memory_region2.layout());
    kvm_userspace_memory_region2.slot(region, (int) op.arg(1));
    kvm_userspace_memory_region2.flags(region, (int) op.arg(2));
    kvm_userspace_memory_region2.guest_phys_addr(region, op.arg(3));
    kvm_userspace_memory_region2.memory_size(region, op.arg(4));
    kvm_userspace_memory_region2.guest_memfd(region, machine.bufs.get(op.arg(5)));
    kvm_userspace_memory_region2.guest_memfd_offset(region, op.arg(6));
    int vm = machine.vms.get(op.arg(0));
    return name(machine.ioctl(vm, KvmIoctls.KVM_SET_USER_MEMORY_REGION2, region));
  }
}
