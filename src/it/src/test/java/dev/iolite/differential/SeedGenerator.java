package dev.iolite.differential;

import static dev.iolite.differential.Handles.NEWEST;

import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import dev.iolite.uapi.vfio.Vfio;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes programs for the kernel seed-2025: an interface is prepared, bound, mapped into a VM, run
 * and lost, in between ordinary calls.
 *
 * <p>Most of what is interesting needs several calls one after the other that fit, which chance
 * alone never makes. Such scenes are put into the program as they are, except that a call may be
 * missing or another one may come between.
 */
final class SeedGenerator {
  private static final long PAGE = Machine.PAGE;
  private static final int LEAST = 60;
  private static final int MOST = 140;

  private static final long SHARED = TsmSeed2025.VFIO_DMA_BUF_SHARED();
  private static final long PRIVATE = TsmSeed2025.VFIO_DMA_BUF_PRIVATE();
  private static final long DMABUF = TsmSeed2025.KVM_MEM_DMABUF();
  private static final long PRIVATE_SLOT = DMABUF | TsmSeed2025.KVM_MEM_PRIVATE_ONLY();
  private static final long BIND = Tsm.IOMMU_VDEVICE_TSM_BIND();
  private static final long UNBIND = Tsm.IOMMU_VDEVICE_TSM_UNBIND();
  private static final long VALIDATE = Tsm.IOMMU_VDEVICE_TSM_VALIDATE_MMIO();
  private static final long SET_STATE = Tsm.IOMMU_VDEVICE_TSM_SET_TDI_STATE();
  private static final long READ_REPORT = TsmSeed2025.IOMMU_VDEVICE_TSM_READ_REPORT();
  private static final long READ_MEASUREMENTS = TsmSeed2025.IOMMU_VDEVICE_TSM_READ_MEASUREMENTS();
  private static final long TDX = Tsm.IOMMU_VDEVICE_TSM_ARCH_TDX();
  private static final long LOW_POWER_ENTRY = Vfio.VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY();
  private static final long LOW_POWER_EXIT = Vfio.VFIO_DEVICE_FEATURE_LOW_POWER_EXIT();
  private static final long UNLOCKED = 0;
  private static final long LOCKED = 1;
  private static final long RUN = 2;
  private static final long ON = 6;

  private static final long[] CAPABILITIES = {
    Kvm.KVM_CAP_EXIT_HYPERCALL(), TsmSeed2025.KVM_CAP_MEMORY_DMABUF()
  };

  private static final long[] CALLS = {1L << 13, 1L << 13, 1L << 12, 3L << 12, 0, 1L << 14, -1};

  /** Where scenes put their slots, apart from those of ordinary calls. */
  private static final long SCENE_GPA = 0x20_0000;

  /** The devices: the number that OPEN has for each, and which region is its memory. */
  private enum Device {
    EDU(0, 0, 1 << 20),
    NVME(1, 0, 4 * PAGE),
    IVSHMEM(2, MapCalls.MEMORY, 1 << 20);

    private final long number;
    private final long region;
    private final long bytes;

    Device(long number, long region, long bytes) {
      this.number = number;
      this.region = region;
      this.bytes = bytes;
    }
  }

  private final Chance chance;
  private final Generator ordinary;
  private final List<Op> program = new ArrayList<>();
  private Device first = Device.IVSHMEM;
  private Device newest = Device.IVSHMEM;
  private long lastGpa = SCENE_GPA;

  /** What the last scene worked on: the first of each kind, or the newest. */
  private long main;

  private SeedGenerator(long seed) {
    chance = new Chance(seed);
    ordinary = new Generator(chance);
  }

  /** The program of a seed; the same everywhere. */
  static List<Op> program(long seed) {
    SeedGenerator generator = new SeedGenerator(seed);
    generator.make();
    return generator.program;
  }

  private void make() {
    int length = chance.between(LEAST, MOST);
    prepare();
    while (program.size() < length) {
      int draw = chance.below(100);
      if (draw < 22) {
        program.add(ordinary.devices());
      } else if (draw < 34) {
        program.add(ordinary.kvm());
      } else if (draw < 46) {
        scene();
      } else {
        program.add(call());
      }
    }
  }

  /** In the order in which a VMM does it. */
  private void prepare() {
    open(device());
    scene(
        Op.of(Kind.IOAS),
        Op.of(Kind.VM, chance.oneIn(12) ? 0 : 1),
        Op.of(Kind.CODE, NEWEST),
        Op.of(Kind.VCPU, NEWEST, 0),
        Op.of(Kind.OPEN, newest.number),
        Op.of(Kind.LIST, NEWEST),
        Op.of(Kind.LIST_SET, NEWEST, 1, NEWEST),
        Op.of(Kind.BIND, NEWEST),
        Op.of(Kind.COMMAND, NEWEST, ON),
        Op.of(Kind.HWPT, 0, NEWEST, 0),
        Op.of(Kind.CONNECT, newest.number, 0),
        Op.of(Kind.VIOMMU, Tsm.IOMMU_VIOMMU_TYPE_TDX(), NEWEST, NEWEST, 0, 0),
        Op.of(Kind.VDEVICE, NEWEST, NEWEST, virtualId()));
  }

  private void open(Device opened) {
    first = program.isEmpty() ? opened : first;
    newest = opened;
  }

  /** The device that the last scene worked on. */
  private Device main() {
    return main == NEWEST ? newest : first;
  }

  private Device device() {
    return chance.oneIn(16) ? Device.NVME : chance.oneIn(4) ? Device.EDU : Device.IVSHMEM;
  }

  private void scene(Op... ops) {
    for (Op op : ops) {
      if (chance.oneIn(10)) {
        program.add(call());
      }
      if (!chance.oneIn(50)) {
        program.add(op);
      }
    }
  }

  private void scene() {
    main = chance.oneIn(3) ? NEWEST : 0;
    switch (chance.below(9)) {
      case 0, 1 -> privateScene();
      case 2 -> sharedScene();
      case 3 -> bindScene();
      case 4 -> mapScene();
      case 5 -> anotherDevice();
      case 6 -> prepare();
      case 7 -> eventScene();
      default -> callScene();
    }
  }

  /** Locked memory of the VM's own is reached, and lost. */
  private void privateScene() {
    long slot = 6L + chance.below(3);
    long gpa = SCENE_GPA + chance.page(16);
    lastGpa = gpa;
    scene(
        Op.of(Kind.TSM_OP, main, BIND, 0),
        export(PRIVATE),
        Op.of(Kind.BUF_SLOT, main, slot, PRIVATE_SLOT, gpa, 2 * PAGE, NEWEST, chance.page(3)),
        Op.of(Kind.ATTRIBUTES, main, gpa, 2 * PAGE, 8),
        state(RUN),
        guestRead(gpa),
        end(),
        guestRead(gpa),
        Op.of(Kind.SLOT, main, 2, slot, 0, gpa, 0, 0, -1, 0),
        Op.of(Kind.CLOSE_BUF, NEWEST));
  }

  private void sharedScene() {
    long slot = 6L + chance.below(3);
    long gpa = SCENE_GPA + chance.page(16);
    lastGpa = gpa;
    scene(
        export(SHARED),
        Op.of(Kind.BUF_SLOT, main, slot, DMABUF, gpa, PAGE, NEWEST, 0),
        guestRead(gpa),
        Op.of(Kind.MAP_FILE, main, 7, NEWEST, 0, PAGE, 0x40_0000),
        end(),
        guestRead(gpa),
        Op.of(Kind.SLOT, main, 2, slot, 0, gpa, 0, 0, -1, 0),
        Op.of(Kind.UNMAP, main, 0x40_0000, PAGE),
        Op.of(Kind.CLOSE_BUF, NEWEST));
  }

  private void bindScene() {
    scene(
        Op.of(Kind.COMMAND, main, ON),
        Op.of(Kind.TSM_OP, main, BIND, 0),
        request(READ_REPORT, 0, 4096),
        export(chance.pick(SHARED, PRIVATE, PRIVATE)),
        runs(),
        state(RUN),
        end(),
        Op.of(Kind.TSM_OP, main, UNBIND, 0));
  }

  private void mapScene() {
    scene(
        Op.of(Kind.MMAP, main, main().region, chance.page(4), PAGE),
        Op.of(Kind.TOUCH, 0),
        Op.of(Kind.TSM_OP, main, BIND, 0),
        Op.of(Kind.TOUCH, 0),
        end(),
        Op.of(Kind.TOUCH, 0));
  }

  /** A second one beside the first, or again the same. */
  private void anotherDevice() {
    open(device());
    scene(
        Op.of(Kind.OPEN, newest.number),
        Op.of(Kind.LIST_SET, main, 1, NEWEST),
        Op.of(Kind.BIND, NEWEST),
        Op.of(Kind.COMMAND, NEWEST, ON),
        Op.of(Kind.CONNECT, newest.number, 0),
        Op.of(Kind.VDEVICE, main, NEWEST, virtualId()),
        Op.of(Kind.TSM_OP, NEWEST, BIND, 0));
  }

  /** What an eventfd writes, it may not write to locked memory. */
  private void eventScene() {
    scene(
        Op.of(Kind.EVENT),
        ioeventfd(NEWEST),
        Op.of(Kind.TSM_OP, main, BIND, 0),
        ioeventfd(NEWEST),
        ioeventfd(NEWEST),
        end());
  }

  private void callScene() {
    scene(
        Op.of(Kind.HYPERCALLS, main, chance.pick(CALLS)),
        Op.of(Kind.CAPABILITY, main, chance.pick(CAPABILITIES)),
        Op.of(Kind.GUEST_CALL, main, hypercall()));
  }

  /** What takes the private memory from a VM, mostly. */
  private Op end() {
    return switch (chance.below(11)) {
      case 0, 1 -> Op.of(Kind.TSM_OP, main, UNBIND, 0);
      case 2 -> state(UNLOCKED);
      case 3 -> Op.of(Kind.COMMAND, main, chance.pick(0, 2, 4));
      case 4 -> Op.of(Kind.DISCONNECT, main().number, 0);
      case 5 -> Op.of(Kind.RESET, main);
      case 6 -> Op.of(Kind.CLOSE, main);
      case 7 -> Op.of(Kind.DESTROY, NEWEST);
      case 8 -> Op.of(Kind.LOW_POWER, main, LOW_POWER_ENTRY);
      case 9 -> Op.of(Kind.TSM_FAULT, main().number, chance.below(2));
      default -> Op.of(Kind.COMMAND, main, ON);
    };
  }

  private Op call() {
    int draw = chance.below(1000);
    if (draw < 90) {
      long type = chance.oneIn(20) ? chance.below(5) : chance.pick(BIND, BIND, BIND, UNBIND);
      return Op.of(Kind.TSM_OP, chance.ref(), type, chance.oneIn(40) ? 1 : 0);
    } else if (draw < 180) {
      return state(chance.pick(RUN, RUN, RUN, LOCKED, LOCKED, UNLOCKED, 3, 7));
    } else if (draw < 280) {
      return request();
    } else if (draw < 400) {
      return export(chance.oneIn(20) ? chance.below(8) : chance.pick(SHARED, PRIVATE, PRIVATE, 0));
    } else if (draw < 450) {
      return chance.oneIn(10)
          ? Op.of(
              Kind.BUF_COMMAND,
              chance.ref(),
              chance.pick(TsmSeed2025.VFIO_DMA_BUF_GET_RUNS(), 0x3b7d, 0x6200))
          : runs();
    } else if (draw < 560) {
      return slot();
    } else if (draw < 640) {
      return Op.of(Kind.ATTRIBUTES, chance.ref(), gpa(), guestLength(), chance.pick(0, 8, 8));
    } else if (draw < 730) {
      return guestRead(gpa());
    } else if (draw < 750) {
      return Op.of(Kind.PRE_FAULT, chance.ref(), gpa(), guestLength());
    } else if (draw < 780) {
      return Op.of(
          Kind.MAP_FILE, chance.ref(), 7, 1 + chance.below(3), chance.page(4), length(), iova());
    } else if (draw < 800) {
      return Op.of(Kind.MMAP, chance.ref(), region(), offset(), length());
    } else if (draw < 820) {
      return Op.of(Kind.TOUCH, chance.below(4));
    } else if (draw < 850) {
      return Op.of(
          Kind.READ,
          chance.ref(),
          region(),
          offset() + chance.pick(0, 0, -4, 4),
          chance.pick(4, 8));
    } else if (draw < 880) {
      return Op.of(Kind.COMMAND, chance.ref(), chance.pick(0, 2, 4, ON, ON, ON, ON, 0x406));
    } else if (draw < 960) {
      return other();
    }
    return closing();
  }

  private Op other() {
    return switch (chance.below(14)) {
      case 0 -> Op.of(Kind.CONNECT, chance.below(3), chance.pick(0, 0, 0, 1, 2, 3, 4));
      case 1 -> Op.of(Kind.DISCONNECT, chance.below(3), chance.pick(0, 0, 1, 2, 3, 4));
      case 2, 3 -> Op.of(Kind.BOUND, chance.below(3));
      case 4 -> viommu();
      case 5 -> Op.of(Kind.VDEVICE, chance.ref(), chance.ref(), virtualId());
      case 6 -> Op.of(Kind.RESET, chance.ref());
      case 7 -> Op.of(Kind.HYPERCALLS, chance.ref(), chance.pick(CALLS));
      case 8 -> Op.of(Kind.LOW_POWER, chance.ref(), chance.pick(LOW_POWER_ENTRY, LOW_POWER_EXIT));
      case 9 -> Op.of(Kind.EVENT);
      case 10, 11 -> ioeventfd(chance.ref());
      case 12 -> Op.of(Kind.TSM_FAULT, chance.below(3), chance.below(2));
      default -> Op.of(Kind.GUEST_CALL, chance.ref(), hypercall());
    };
  }

  /** Into the device's memory, mostly. */
  private Op ioeventfd(long event) {
    long at = chance.oneIn(4) ? chance.pick(2, 4, 8) : 0;
    return Op.of(
        Kind.IOEVENTFD,
        chance.oneIn(4) ? chance.ref() : main,
        region(),
        offset() + at,
        chance.oneIn(10) ? chance.pick(0, 3, 16, 31) : chance.pick(1, 2, 4, 8),
        chance.oneIn(10) ? -1 : event);
  }

  private Op closing() {
    return switch (chance.below(8)) {
      case 0, 1 -> Op.of(Kind.CLOSE_BUF, chance.ref());
      case 2 -> Op.of(Kind.CLOSE_VM, chance.ref());
      case 3 -> Op.of(Kind.CLOSE_LIST, chance.ref());
      case 4 -> Op.of(Kind.CLOSE, chance.ref());
      case 5 -> Op.of(Kind.LIST_SET, chance.ref(), chance.pick(1, 2), chance.ref());
      case 6 -> Op.of(Kind.DESTROY, chance.oneIn(2) ? chance.below(8) : NEWEST);
      default -> chance.oneIn(4) ? Op.of(Kind.CLOSE_IOMMUFD) : Op.of(Kind.DETACH, chance.ref());
    };
  }

  private Op viommu() {
    long type = chance.oneIn(6) ? chance.pick(0, 1, 2, 3, -1) : Tsm.IOMMU_VIOMMU_TYPE_TDX();
    long data = chance.oneIn(10) ? 8 : 0;
    return Op.of(Kind.VIOMMU, type, chance.ref(), chance.ref(), data, chance.oneIn(20) ? 1 : 0);
  }

  private long virtualId() {
    return chance.oneIn(15) ? chance.pick(1L << 32, -1, 0) : 0x20 + chance.below(3);
  }

  private Op state(long to) {
    return request(SET_STATE, 4, 0, to, 0, 0);
  }

  private Op request(long operation, long requestBytes, long room, long... words) {
    long[] payload = {0, 0, 0};
    System.arraycopy(words, 0, payload, 0, words.length);
    return Op.of(
        Kind.TSM_REQ,
        chance.oneIn(8) ? chance.ref() : main,
        operation,
        chance.oneIn(30) ? chance.pick(0, 1, 2, 4, -1) : TDX,
        requestBytes,
        room,
        chance.oneIn(25) ? 1 + chance.below(3) : 0,
        payload[0],
        payload[1],
        payload[2],
        main().number);
  }

  /** One of the operations, with lengths that mostly fit. */
  private Op request() {
    long operation =
        chance.oneIn(15)
            ? chance.pick(0, 7, 99, -1)
            : chance.pick(VALIDATE, VALIDATE, READ_REPORT, READ_REPORT, READ_MEASUREMENTS, 3, 4);
    long bytes = operation == VALIDATE ? 24 : operation == READ_MEASUREMENTS ? 32 : 0;
    if (chance.oneIn(6)) {
      bytes = chance.pick(0, 1, 3, 4, 23, 31, 33, 0x1000, 0x10000, 0x10001, -1);
    }
    long room = operation == VALIDATE ? 0 : 4096;
    if (chance.oneIn(4)) {
      room = chance.pick(0, 1, 67, 68, 80, 81, 4096, 0x7fff_ffff, 0x8000_0000L, -1);
    }
    long odd = chance.oneIn(15) ? chance.pick(1, 0x800, -PAGE, 1L << 63) : 0;
    long start = gpa() + (chance.oneIn(20) ? odd : 0);
    return request(operation, bytes, room, start, start + length() + odd, chance.page(6));
  }

  private Op export(long flags) {
    long start = offset();
    if (flags == PRIVATE || chance.oneIn(2)) {
      return Op.of(
          Kind.EXPORT, chance.oneIn(8) ? chance.ref() : main, flags, region(), 0, all(), 0, -2);
    }
    long second = chance.oneIn(3) ? length() : -2;
    return Op.of(Kind.EXPORT, chance.ref(), flags, region(), start, length(), offset(), second);
  }

  /** All of the region, or a part of it. */
  private long all() {
    return chance.oneIn(3) ? PAGE * chance.pick(1, 2, 3, 4, 5) : main().bytes;
  }

  private Op runs() {
    long room = chance.oneIn(3) ? chance.pick(0, 1, -1) : chance.pick(2, 3, 8);
    long flags = chance.oneIn(30) ? 1 : 0;
    if (chance.oneIn(3)) {
      long missing = chance.oneIn(20) ? chance.pick(200, 192, 208) : 0;
      return Op.of(
          Kind.DEVICE_RUNS, chance.oneIn(4) ? chance.ref() : main, chance.ref(), room, missing);
    }
    long size = chance.oneIn(30) ? chance.pick(0, 23, 4096) : 24;
    return Op.of(Kind.RUNS, chance.ref(), room, flags, size, chance.oneIn(30) ? -1 : 0);
  }

  private Op slot() {
    long flags =
        chance.oneIn(12) ? chance.below(32) : chance.pick(PRIVATE_SLOT, PRIVATE_SLOT, DMABUF);
    long id = chance.oneIn(4) ? chance.below(5) : 6 + chance.below(3);
    long bytes = chance.oneIn(12) ? 0 : length();
    long buf = chance.oneIn(3) ? NEWEST : chance.ref();
    long gpa = gpa();
    lastGpa = gpa;
    return Op.of(Kind.BUF_SLOT, chance.ref(), id, flags, gpa, bytes, buf, offset());
  }

  private Op guestRead(long gpa) {
    return Op.of(Kind.GUEST_READ, chance.oneIn(20) ? chance.ref() : main, gpa);
  }

  private long gpa() {
    if (chance.oneIn(3)) {
      return lastGpa + chance.page(2);
    }
    return chance.oneIn(20)
        ? chance.pick(0, 0x1000, 0xffff_f000L)
        : chance.pick(SCENE_GPA, 0x10_0000) + chance.page(16);
  }

  private long iova() {
    return 0x10_0000 + chance.page(16);
  }

  private long length() {
    return chance.oneIn(80) ? -PAGE : guestLength();
  }

  /** KVM takes memory for every page of a long one. */
  private long guestLength() {
    return chance.oneIn(25) ? chance.pick(0, 1, 0x800) : PAGE * chance.pick(1, 1, 1, 2, 2, 3, 4);
  }

  private long region() {
    return chance.oneIn(12) ? chance.below(9) : main().region;
  }

  private long offset() {
    return chance.oneIn(20)
        ? chance.pick(0x800, main().bytes - PAGE, main().bytes, -PAGE, 1L << 39)
        : chance.page(4);
  }

  private long hypercall() {
    return chance.oneIn(4)
        ? chance.pick(12, 13, 1, 0x7cff, 0x7d06)
        : Tsm.KVM_HC_TSM_BIND() + chance.below(6);
  }
}
