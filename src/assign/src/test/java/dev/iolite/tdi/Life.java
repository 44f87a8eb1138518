package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Page;
import dev.iolite.kvm.VmType;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.core.Memory;
import dev.iolite.mock.device.Bar;
import dev.iolite.mock.device.DeviceHost;
import dev.iolite.mock.device.DeviceLogic;
import dev.iolite.mock.device.DeviceModel;
import dev.iolite.mock.device.DeviceShape;
import dev.iolite.mock.device.TdispEndpoint;
import dev.iolite.mock.kvm.ToldGuest;
import dev.iolite.mock.pci.Machine;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.rehearsal.MockGuest;
import dev.iolite.tdi.layout.BarSize;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tsm.Profile;
import dev.iolite.tsm.TdiState;
import dev.iolite.vfio.ByteRange;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** A model of a confidential host with a TDISP endpoint, and assignments of it. */
final class Life extends DeviceLife {
  static final PciAddress ENDPOINT = PciAddress.parse("0000:00:07.0");

  /** Behind a bridge, with {@link #SIBLING} in its slot: they are reset together. */
  static final PciAddress SET_ENDPOINT = PciAddress.parse("0000:01:00.0");

  static final PciAddress SIBLING = PciAddress.parse("0000:01:00.1");
  static final long VIRTUAL_BDF = 0x10;

  final ToldGuest told = new ToldGuest();
  final MockKernel kernel;

  /** What the endpoint reaches the machine by. */
  private Optional<DeviceHost> host = Optional.empty();

  Life(Platform platform, Profile profile) {
    this(platform, profile, TdispEndpoint.model());
  }

  /** With another endpoint. */
  Life(Platform platform, Profile profile, DeviceModel endpoint) {
    this(platform, profile, endpoint, machine -> machine);
  }

  /** With another machine around it. */
  Life(Platform platform, Profile profile, DeviceModel endpoint, UnaryOperator<Machine> around) {
    this(platform, profile, 0, ENDPOINT, endpoint, around);
  }

  /** With another choice of what is left to the TSM. */
  static Life ofSeed(Platform platform, Profile profile, long seed) {
    return new Life(
        platform, profile, seed, ENDPOINT, TdispEndpoint.model(), UnaryOperator.identity());
  }

  private Life(
      Platform platform,
      Profile profile,
      long seed,
      PciAddress address,
      DeviceModel endpoint,
      UnaryOperator<Machine> around) {
    super(address);
    Function<DeviceHost, DeviceLogic> listening =
        found -> {
          host = Optional.of(found);
          return endpoint.logic().apply(found);
        };
    Machine machine =
        around.apply(
            new Machine()
                .function(address.toString(), new DeviceModel(endpoint.shape(), listening)));
    kernel =
        MockKernel.builder()
            .platform(platform)
            .profile(profile)
            .seed(seed)
            .machine(machine)
            .guests((_, _) -> Optional.of(told.script()))
            .build();
  }

  /**
   * With an endpoint that is reset together with another one.
   *
   * @param inOneGroup whether both are in one IOMMU group, with their bridge
   */
  static Life ofSet(Platform platform, Profile profile, boolean inOneGroup) {
    String bridge = "0000:00:04.0";
    DeviceShape shape =
        DeviceShape.builder(0x1b36, 0x0001)
            .classCode(0x06_0400)
            .bar(Bar.memory64(0, 256))
            .bridgeTo(1)
            .build();
    Life life =
        new Life(
            platform,
            profile,
            0,
            SET_ENDPOINT,
            TdispEndpoint.model(),
            machine -> {
              machine
                  .function(bridge, DeviceModel.memory(shape))
                  .function(SIBLING.toString(), TdispEndpoint.model());
              return inOneGroup
                  ? machine.group(bridge, SET_ENDPOINT.toString(), SIBLING.toString())
                  : machine;
            });
    DriverBinding.bind(new Pci(life.kernel).device(SIBLING), "vfio-pci");
    return life;
  }

  /** Each platform that protects a guest, with each proposal that can bind. */
  static Stream<Arguments> binding() {
    return Stream.of(Platform.TDX, Platform.SEV)
        .flatMap(platform ->
            Stream.of(Profile.values())
                .filter(profile -> profile != Profile.MAINLINE_7_3)
                .map(profile -> Arguments.of(platform, profile)));
  }

  /** Where the guest has a BAR. */
  static long bar(TdiAssignment assignment, int index) {
    return Objects.requireNonNull(assignment.barAddresses().get(index), "a BAR that is mapped");
  }

  /** Whether the device can read a word at an IOVA. */
  boolean deviceReads(long iova) {
    return onDevice(device -> device.read(iova, MemorySegment.ofArray(new byte[Long.BYTES])));
  }

  /** Whether the device can write a word at an IOVA. */
  boolean deviceWrites(long iova, long value) {
    return onDevice(device -> device.write(iova, MemorySegment.ofArray(new long[] {value})));
  }

  private boolean onDevice(Consumer<DeviceHost> copy) {
    return kernel
        .device(address.toString())
        .pci()
        .locked(() -> {
          try {
            copy.accept(host.orElseThrow());
            return true;
          } catch (Memory.Unreachable e) {
            return false;
          }
        });
  }

  /** How many dma-bufs this process has open. */
  long openDmaBufs() {
    return holdings().descriptors().stream().filter(name -> name.startsWith("dmabuf:")).count();
  }

  /** How many mappings of the device's BARs this process has. */
  long hostMappings() {
    return holdings().mappings().stream().filter(name -> name.matches("vfio\\d+")).count();
  }

  /** The interface's state as the TSM has it; empty if it is not bound. */
  Optional<TdiState> tdi() {
    return kernel.tsm().state(address.toString());
  }

  @Override
  MockKernel kernel() {
    return kernel;
  }

  @Override
  void requireFree(String where) {
    assertThat(tdi()).as(where).isEmpty();
  }

  @Override
  VmType vmType() {
    return switch (kernel.platform()) {
      case PLAIN -> VmType.DEFAULT;
      case TDX -> VmType.TDX;
      case SEV -> VmType.SNP;
    };
  }

  @Override
  Profile profile() {
    return kernel.profile();
  }

  @Override
  AssignmentOptions options(Kernel on) {
    return super.options(on).withVirtualBdf(VIRTUAL_BDF);
  }

  /** One that is told the endpoint's layout where the proposal has no way to learn it. */
  TdiAssignment knowingAssignment() {
    AssignmentOptions options = options(kernel);
    return new TdiAssignment(
        kernel.profile() == Profile.V6 ? options.withLayout(layoutOfEndpoint()) : options);
  }

  /** What of the endpoint is private, for a proposal that has no way to learn it. */
  static MmioLayout layoutOfEndpoint() {
    return MmioLayout.ofPrivate(
        List.of(new BarSize(0, 0x1_0000), new BarSize(2, 16L << 30), new BarSize(4, 0x8000)),
        Map.of(
            0, List.of(new ByteRange(0, 0x2000), new ByteRange(0x3000, 0xd000)),
            2, List.of(new ByteRange(0, 16L << 30)),
            4, List.of()),
        Page.BYTES);
  }

  @Override
  MockGuest guest(TdiAssignment assignment) {
    return new MockGuest(told, assignment, VIRTUAL_BDF);
  }

  @Override
  public void close() {
    kernel.close();
  }
}
