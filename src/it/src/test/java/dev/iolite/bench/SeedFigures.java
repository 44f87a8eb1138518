package dev.iolite.bench;

import dev.iolite.iommufd.Hwpt;
import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.Viommu;
import dev.iolite.kernel.ByteSize;
import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelLog;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.SysFs;
import dev.iolite.kvm.Exit;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.Vcpu;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmLaunch;
import dev.iolite.kvm.VmType;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.pci.Tsm;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.profile.TdiBinding;
import dev.iolite.tdi.profile.TdiTarget;
import dev.iolite.tdi.profile.UapiProfile;
import dev.iolite.tsm.Arch;
import dev.iolite.tsm.Profile;
import dev.iolite.tsm.TdiState;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.DmaBuf;
import dev.iolite.vfio.PciRegion;
import dev.iolite.vfio.VfioDevice;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * What the kernel seed-2025 does with a private BAR: the faults by which a guest comes to have it,
 * and the time that an unbind takes to revoke it. The device is the lab's ivshmem; with {@code
 * --ivshmem 1G} its BAR is large enough for large pages.
 */
public final class SeedFigures implements AutoCloseable {
  private static final PciAddress IVSHMEM = PciAddress.parse("0000:00:07.0");
  private static final int BAR = 2;
  private static final long PAGE = 4096;
  private static final long LARGE_PAGE = 2L << 20;
  private static final long HUGE_PAGE = 1L << 30;
  private static final int SLOTS = 1000;
  private static final int ROUNDS = 5;
  private static final long GPA = HUGE_PAGE;
  private static final long CODE_GPA = 0x1000;
  private static final long RAM_BYTES = 0x1_0000;
  private static final int PORT = 0x3f8;
  private static final Duration DEADLINE = Duration.ofMinutes(10);

  private final Kernel kernel = new HostKernel();
  private final SysFs files = new SysFs(kernel);
  private final UapiProfile profile = UapiProfile.of(Profile.SEED_2025, Arch.TDX);
  private final CloseStack opened = new CloseStack();
  private final BoundVfioDevice device;
  private final Mapping ram;
  private final Vm vm;
  private final Vcpu vcpu;
  private final TdiTarget target;

  private SeedFigures() {
    PciDevice pci = new Pci(kernel).device(IVSHMEM);
    opened.push(DriverBinding.bind(pci, "vfio-pci"));
    Kvm kvm = opened.push(Kvm.open(kernel));
    VmLaunch launch = opened.push(VmLaunch.begin(kvm, VmType.SW_PROTECTED));
    vm = launch.vm();
    ram = opened.push(Mapping.anonymous(kernel, RAM_BYTES));
    opened.push(vm.addSlot(0, RAM_BYTES, ram.address()));
    launch.finish();
    vcpu = launch.vcpu();
    Iommufd iommufd = opened.push(Iommufd.open(kernel));
    VfioDevice unbound =
        opened.push(VfioDevice.open(kernel, pci.requireVfioCdev(), pci.toString()));
    vm.createVfioDevice().add(unbound);
    device = opened.push(unbound.bind(iommufd));
    device.config().setMemoryDecode(true);
    device.config().setBusMaster(true);
    Tsm tsms = new Tsm(kernel);
    tsms.connect(pci, tsms.only());
    opened.onClose(() -> tsms.disconnect(pci, tsms.only()));
    Ioas ioas = opened.push(iommufd.allocIoas());
    Hwpt table = opened.push(iommufd.allocHwpt(device.deviceId(), ioas, Set.of()).orElseThrow());
    Viommu viommu =
        opened.push(
            iommufd.allocViommu(device.deviceId(), table, profile.viommuType()).orElseThrow());
    target = new TdiTarget(iommufd, viommu, device, 0x10, opened.push(KernelLog.fromNow(kernel)));
  }

  /** Prints the figures. */
  public static void main(String[] arguments) {
    try (var figures = new SeedFigures()) {
      figures.print();
    }
  }

  private void print() {
    long bytes = device.region(PciRegion.bar(BAR)).info().bytes();
    System.out.printf("%-32s %8s %9s %9s %9s%n", "", "faults", "4 KiB", "2 MiB", "1 GiB");
    if (bytes >= HUGE_PAGE) {
      map("aligned to 1 GiB", GPA, bytes);
      map("aligned to 2 MiB", GPA + LARGE_PAGE, bytes);
      map("aligned to 4 KiB, 1/16 of it", GPA + PAGE, bytes / 16);
    } else {
      map("a BAR of " + ByteSize.text(bytes), GPA, bytes / 2);
    }
    long pages = Math.min(bytes / 2, LARGE_PAGE) / PAGE;
    System.out.printf("%-32s %8s %9s%n", "an unbind, median of " + ROUNDS, "mappings", "ms");
    revoke("one slot", 1, pages * PAGE);
    revoke("%,d slots".formatted(SLOTS), SLOTS, PAGE);
  }

  /** A private BAR in one slot, read by the guest page by page. */
  private void map(String what, long gpa, long bytes) {
    try (TdiBinding binding = profile.bind(target);
        DmaBuf buf = export();
        CloseStack slots = new CloseStack()) {
      slots.push(profile.addPrivateSlot(vm, gpa, bytes, buf, 0));
      binding.setState(TdiState.RUN);
      long before = stat("pf_fixed");
      long start = System.nanoTime();
      readAll(gpa, bytes);
      System.out.printf(
          "%-32s %,8d %,9d %,9d %,9d   %,.0f ms%n",
          what,
          stat("pf_fixed") - before,
          stat("pages_4k"),
          stat("pages_2m"),
          stat("pages_1g"),
          (System.nanoTime() - start) / 1e6);
    }
  }

  /** A private BAR in so many slots, all of it read by the guest, and then unbound. */
  private void revoke(String what, int count, long bytes) {
    double[] millis = new double[ROUNDS];
    long revoked = 0;
    for (int round = 0; round < ROUNDS; round++) {
      try (CloseStack held = new CloseStack()) {
        TdiBinding binding = held.push(profile.bind(target));
        DmaBuf buf = held.push(export());
        for (int i = 0; i < count; i++) {
          long offset = i * bytes % (buf.bytes() - bytes + 1) & -PAGE;
          held.push(profile.addPrivateSlot(vm, GPA + i * bytes, bytes, buf, offset));
        }
        binding.setState(TdiState.RUN);
        readAll(GPA, count * bytes);
        long mapped = mappings();
        long start = System.nanoTime();
        binding.close();
        millis[round] = (System.nanoTime() - start) / 1e6;
        revoked = mapped - mappings();
      }
    }
    Arrays.sort(millis);
    System.out.printf("%-32s %,8d %9.2f%n", what, revoked, millis[ROUNDS / 2]);
  }

  private DmaBuf export() {
    List<ByteRange> all =
        List.of(new ByteRange(0, device.region(PciRegion.bar(BAR)).info().bytes()));
    return profile.exportDmaBuf(device, BAR, all, Kind.PRIVATE);
  }

  /** Of KVM's page tables of all VMs; the guest's own memory has a few. */
  private long mappings() {
    return stat("pages_4k") + stat("pages_2m") + stat("pages_1g");
  }

  private long stat(String name) {
    return Long.parseLong(files.read("/sys/kernel/debug/kvm/" + name).strip());
  }

  /** Has the guest read a word of each page. */
  private void readAll(long gpa, long bytes) {
    vm.setPrivate(gpa, bytes, true);
    ByteBuffer code = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
    code.put(bytes(0x66, 0xbb)).putInt((int) gpa); // mov ebx, gpa
    int loop = code.position();
    code.put(bytes(0x67, 0x66, 0x8b, 0x03)); // mov eax, [ebx]
    code.put(bytes(0x66, 0x81, 0xc3)).putInt((int) PAGE); // add ebx, PAGE
    code.put(bytes(0x66, 0x81, 0xfb)).putInt((int) (gpa + bytes)); // cmp ebx, end
    code.put(bytes(0x75)).put((byte) (loop - code.position() - 1)); // jne loop
    code.put(bytes(0xba)).putShort((short) PORT).put(bytes(0xee)); // mov dx, PORT; out dx, al
    MemorySegment program = MemorySegment.ofBuffer(code.flip());
    MemorySegment.copy(program, 0, ram.segment(), CODE_GPA, program.byteSize());
    vcpu.enterRealMode(CODE_GPA);
    Exit exit = vcpu.run(DEADLINE);
    if (!(exit instanceof Exit.IoOut)) {
      throw new IllegalStateException("the guest did not read all: " + exit);
    }
  }

  private static byte[] bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }

  @Override
  public void close() {
    opened.close();
  }
}
