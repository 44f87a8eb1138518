package dev.iolite.tdi.profile;

import dev.iolite.iommufd.HwptFlag;
import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.Viommu;
import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelLog;
import dev.iolite.kernel.SysFs;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.VmLaunch;
import dev.iolite.kvm.VmType;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.device.DeviceMeasurements;
import dev.iolite.mock.device.DeviceModel;
import dev.iolite.mock.device.TdispEndpoint;
import dev.iolite.mock.kvm.GuestScript;
import dev.iolite.mock.pci.Machine;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.pci.Tsm;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tsm.Arch;
import dev.iolite.tsm.Profile;
import dev.iolite.tsm.TdiState;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.DmaBuf;
import dev.iolite.vfio.VfioDevice;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/** The TDISP endpoint of a model, connected to the TSM and given to a confidential VM. */
final class AssignedTdi implements AutoCloseable {
  static final String ADDRESS = "0000:00:07.0";
  static final long VIRTUAL_BDF = 0x10;

  /** Far above what tests use. */
  private static final long TEE_GPA = 1L << 40;

  final MockKernel model;
  final UapiProfile profile;
  final PciDevice pci;
  final Iommufd iommufd;
  final Ioas ioas;
  final BoundVfioDevice device;
  final VmLaunch launch;
  final TdiTarget target;
  private final CloseStack opened = new CloseStack();

  private AssignedTdi(MockKernel model, UnaryOperator<Kernel> around) {
    this.model = model;
    Kernel kernel = around.apply(model);
    profile = profile(model);
    boolean isTdx = model.platform() == Platform.TDX;
    pci = new Pci(kernel).device(PciAddress.parse(ADDRESS));
    opened.push(DriverBinding.bind(pci, "vfio-pci"));
    iommufd = opened.push(Iommufd.open(kernel));
    Kvm kvm = opened.push(Kvm.open(kernel));
    launch = opened.push(VmLaunch.begin(kvm, isTdx ? VmType.TDX : VmType.SNP));
    if (profile.hypercallExits() != 0) {
      launch.vm().exitOnHypercalls(profile.hypercallExits());
    }
    VfioDevice unbound = opened.push(VfioDevice.open(kernel, pci.requireVfioCdev(), ADDRESS));
    launch.vm().createVfioDevice().add(unbound);
    device = opened.push(unbound.bind(iommufd));
    device.config().setMemoryDecode(true);
    device.config().setBusMaster(true);
    new Tsm(kernel).connect(pci, "tsm0");
    opened.onClose(() -> new Tsm(kernel).disconnect(pci, "tsm0"));
    ioas = opened.push(iommufd.allocIoas());
    var parent =
        opened.push(
            iommufd.allocHwpt(device.deviceId(), ioas, Set.of(HwptFlag.NEST_PARENT)).orElseThrow());
    Viommu viommu =
        opened.push(
            iommufd.allocViommu(device.deviceId(), parent, profile.viommuType()).orElseThrow());
    target =
        new TdiTarget(iommufd, viommu, device, VIRTUAL_BDF, opened.push(KernelLog.fromNow(kernel)));
  }

  /** The client's profile for a model. */
  static UapiProfile profile(MockKernel model) {
    return UapiProfile.of(model.profile(), model.platform() == Platform.SEV ? Arch.SEV : Arch.TDX);
  }

  static AssignedTdi on(Platform platform, Profile profile) {
    return new AssignedTdi(
        MockKernel.builder().platform(platform).profile(profile).build(), UnaryOperator.identity());
  }

  /** On a TDX host, with an endpoint that measures this of itself. */
  static AssignedTdi measuring(Profile profile, DeviceMeasurements measurements) {
    DeviceModel endpoint = TdispEndpoint.measuring(measurements);
    return new AssignedTdi(
        MockKernel.builder()
            .platform(Platform.TDX)
            .profile(profile)
            .machine(new Machine().function(ADDRESS, endpoint))
            .build(),
        UnaryOperator.identity());
  }

  /** With something between the client and the model. */
  static AssignedTdi on(Platform platform, Profile profile, UnaryOperator<Kernel> around) {
    return new AssignedTdi(
        MockKernel.builder().platform(platform).profile(profile).build(), around);
  }

  /** With a guest. */
  static AssignedTdi on(Platform platform, Profile profile, GuestScript script) {
    return new AssignedTdi(
        MockKernel.builder()
            .platform(platform)
            .profile(profile)
            .guests((_, _) -> Optional.of(script))
            .build(),
        UnaryOperator.identity());
  }

  /** What sysfs says that it is bound by; empty if it is not bound. */
  String bound() {
    return new SysFs(model).read(pci.path() + "/tsm/bound");
  }

  /** The state that the device itself is in; empty if it is not bound. */
  Optional<TdiState> state() {
    return model.tsm().state(ADDRESS);
  }

  /** Where a BAR is on the bus. */
  long bar(int index) {
    return pci.resources().stream()
        .filter(resource -> resource.index() == index)
        .findFirst()
        .orElseThrow()
        .start();
  }

  /** Binds, and locks where the bind does not. */
  TdiBinding bindAndLock() {
    TdiBinding binding = profile.bind(target);
    if (!binding.isLockedByBind()) {
      binding.setState(TdiState.CONFIG_LOCKED);
    }
    return binding;
  }

  /** Lets the interface run; before that its guest gets all of its TEE memory, as on a TDX host. */
  void run(TdiBinding binding) {
    if (profile.operations().contains(TsmOperation.PRIVATE_SLOT)) {
      give(0, new ByteRange(0, 0x2000), TEE_GPA);
      give(0, new ByteRange(0x3000, 0xd000), TEE_GPA + 0x3000);
      give(2, new ByteRange(0, TdispEndpoint.MEMORY_BYTES), TEE_GPA + TdispEndpoint.MEMORY_BYTES);
    }
    binding.setState(TdiState.RUN);
  }

  private void give(int bar, ByteRange range, long gpa) {
    DmaBuf part = opened.push(profile.exportDmaBuf(device, bar, List.of(range), Kind.PRIVATE));
    profile.addPrivateSlot(launch.vm(), gpa, range.bytes(), part, 0);
  }

  @Override
  public void close() {
    opened.close();
    model.close();
  }
}
