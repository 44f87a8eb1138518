package dev.iolite.mock.tsm;

import static dev.iolite.mock.tsm.AssignedEndpoint.no;
import static dev.iolite.mock.tsm.AssignedEndpoint.ok;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.Platform;
import dev.iolite.mock.device.Bar;
import dev.iolite.mock.device.DeviceModel;
import dev.iolite.mock.device.DeviceShape;
import dev.iolite.mock.device.Express;
import dev.iolite.mock.device.ExtendedCapability;
import dev.iolite.mock.device.MsiX;
import dev.iolite.mock.device.TdiRange;
import dev.iolite.mock.device.TdiReport;
import dev.iolite.tsm.Profile;
import dev.iolite.tsm.TdiState;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumSet;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What TDISP says of a device's interface (PCI Express 7.0, chapter 11), and a TDX module of it.
 */
class TdispTest {
  private static final int MEMORY = 2;
  private static final int MASTER = 4;
  private static final int COMMAND = 0x04;
  private static final int CACHE_LINE = 0x0c;
  private static final int BIST = 0x0f;
  private static final int BIST_START = 0x40;
  private static final int BAR0 = 0x10;
  private static final int BAR4 = 0x20;
  private static final int INTERRUPT_LINE = 0x3c;
  private static final int MSIX_CONTROL = 0x42;
  private static final int MSIX_ON = 0x8000;
  private static final int DEVICE_CONTROL = 0x88;
  private static final int EXTENDED_TAGS = 0x100;
  private static final int PAGE = 4096;

  private static final int ROM = 0x30;

  /** The extended capabilities of {@link #device}, in the order of their ids. */
  private static final int ATS = 0x140;

  private static final int SRIOV = 0x180;
  private static final int PRI = 0x1c0;
  private static final int PASID = 0x200;

  /** A device that has all that a lock keeps. */
  private static AssignedEndpoint endpoint() {
    byte[] rom = new byte[2048];
    rom[0] = 0x55;
    rom[1] = (byte) 0xaa;
    Express express = new Express(true, true, true, EnumSet.allOf(ExtendedCapability.class));
    return AssignedEndpoint.ofModel(
        Platform.SEV,
        Profile.SEED_2025,
        DeviceModel.memory(
            DeviceShape.builder(0x1234, 0x5678)
                .bar(Bar.memory64(0, 64 << 10))
                .bar(Bar.memory32(4, 32 << 10))
                .msiX(new MsiX(16, 4, 0, 4, PAGE))
                .rom(rom)
                .express(express)
                .tdi(
                    TdiReport.of(
                        new TdiRange(0, 0, 16, 0),
                        new TdiRange(4, 0, 1, TdiRange.MSIX_TABLE),
                        new TdiRange(4, 1, 1, TdiRange.MSIX_PBA),
                        new TdiRange(4, 2, 6, TdiRange.NON_TEE)))
                .build()));
  }

  /** Registers that a lock keeps, with a write that changes them (11.2.6). */
  static Stream<Arguments> kept() {
    return Stream.of(
        Arguments.of("memory decode off", COMMAND, 2, MASTER),
        Arguments.of("bus mastering off", COMMAND, 2, MEMORY),
        Arguments.of("self test", BIST, 1, BIST_START),
        Arguments.of("a BAR", BAR4, 4, 0x1000_0000),
        Arguments.of("half a BAR", BAR0 + 4, 4, 0x77),
        Arguments.of("the expansion ROM's BAR", ROM, 4, 0x1234_0000),
        Arguments.of("tags", DEVICE_CONTROL, 2, EXTENDED_TAGS),
        Arguments.of("VFs", SRIOV + 8, 2, 1),
        Arguments.of("memory of VFs", SRIOV + 8, 2, 8),
        Arguments.of("the number of VFs", SRIOV + 0x10, 2, 2),
        Arguments.of("page requests", PRI + 4, 2, 1),
        Arguments.of("outstanding page requests", PRI + 0xc, 4, 32),
        Arguments.of("PASIDs", PASID + 6, 2, 1),
        Arguments.of("execution by PASID", PASID + 6, 2, 2));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("kept")
  void aChangeOfWhatALockKeepsIsAnError(String what, int offset, int width, int value) {
    try (AssignedEndpoint at = endpoint()) {
      at.poke(offset, width, value);
      at.poke(COMMAND, 2, MEMORY | MASTER);
      assertThat(SeedCalls.bind(at)).as("before the lock it does no harm").isZero();
      ok(SeedCalls.unbind(at));
    }
    try (AssignedEndpoint at = endpoint()) {
      assertThat(SeedCalls.bind(at)).isZero();
      at.poke(offset, width, value);
      assertThat(at.state()).as(what).isEqualTo(TdiState.ERROR);
    }
  }

  @Test
  void whatALockDoesNotKeepMayChange() {
    try (AssignedEndpoint at = endpoint()) {
      assertThat(SeedCalls.bind(at)).isZero();
      at.poke(CACHE_LINE, 1, 0x10);
      at.poke(INTERRUPT_LINE, 1, 9);
      at.poke(MSIX_CONTROL, 2, MSIX_ON);
      at.poke(MSIX_CONTROL, 2, 0);
      at.poke(BIST, 1, 0);
      at.poke(ATS + 6, 2, 0x8000);
      at.poke(ATS + 6, 2, 0);
      at.poke(PASID + 6, 2, 0);
      assertThat(at.state()).isEqualTo(TdiState.CONFIG_LOCKED);
    }
  }

  @Test
  void decodeAndMasteringMayBeOffAtTheLockAndGoOnLaterButNotOffAgain() {
    try (AssignedEndpoint at = endpoint()) {
      at.command(0);
      assertThat(SeedCalls.bind(at)).isZero();
      at.command(MEMORY);
      at.command(MEMORY | MASTER);
      assertThat(at.state()).isEqualTo(TdiState.CONFIG_LOCKED);
      at.command(MEMORY);
      assertThat(at.state()).isEqualTo(TdiState.ERROR);
    }
  }

  @Test
  void aLockWithMsixKeepsItsControl() {
    try (AssignedEndpoint at = endpoint()) {
      at.kernel.tsm().lockMsix();
      at.poke(MSIX_CONTROL, 2, MSIX_ON);
      assertThat(SeedCalls.bind(at)).isZero();
      at.poke(MSIX_CONTROL, 2, MSIX_ON);
      assertThat(at.state()).as("as it was").isEqualTo(TdiState.CONFIG_LOCKED);
      at.poke(MSIX_CONTROL, 2, 0);
      assertThat(at.state()).isEqualTo(TdiState.ERROR);
    }
  }

  @Test
  void aLockWithMsixMakesTheTableAndThePendingBitsTeeMemory() {
    try (AssignedEndpoint at = endpoint()) {
      assertThat(SeedCalls.bind(at)).isZero();
      assertThat(at.export(4, SeedCalls.PRIVATE, 0, 8 * PAGE)).isEqualTo(no(Errno.EINVAL));
      assertThat(rangesOfBar4(at)).as("not told").containsExactly(6);
      assertThat(msixControl(at)).isZero();
      ok(SeedCalls.unbind(at));

      at.kernel.tsm().lockMsix();
      assertThat(SeedCalls.bind(at)).isZero();
      int hidden = ok(at.export(4, SeedCalls.PRIVATE, 0, 8 * PAGE));
      assertThat(SeedCalls.runs(at, hidden)).containsExactly("0x0 0x0 0x2000");
      assertThat(rangesOfBar4(at)).containsExactly(1, 1, 6);
      assertThat(msixControl(at)).as("off, 16 vectors").isEqualTo(15);
    }
  }

  private static MemorySegment report(AssignedEndpoint at) {
    MemorySegment report = at.struct(PAGE);
    int unused = ok(SeedCalls.report(at, report));
    return report.asSlice(0, PAGE - unused);
  }

  private static int msixControl(AssignedEndpoint at) {
    return Short.toUnsignedInt(report(at).get(ValueLayout.JAVA_SHORT, 4));
  }

  /** How many pages each range of BAR4 has. */
  private static List<Integer> rangesOfBar4(AssignedEndpoint at) {
    MemorySegment report = report(at);
    return Stream.iterate(16L, offset -> offset + 16)
        .limit(report.get(ValueLayout.JAVA_INT, 12))
        .filter(offset -> report.get(ValueLayout.JAVA_INT, offset + 12) >>> 16 == 4)
        .map(offset -> report.get(ValueLayout.JAVA_INT, offset + 8))
        .toList();
  }

  /** Devices that TDISP allows and a TDX module does not take, with its reason. */
  static Stream<Arguments> refusedByTdx() {
    TdiRange tee = new TdiRange(0, 0, 1, 0);
    Bar bar = Bar.memory64(0, PAGE);
    return Stream.of(
        Arguments.of(report(0, tee), bar, "DMA without PASID"),
        Arguments.of(report(0b00110, tee), bar, "PASIDs, ATS or PRS"),
        Arguments.of(report(0b01010, tee), bar, "PASIDs, ATS or PRS"),
        Arguments.of(report(0b10010, tee), bar, "PASIDs, ATS or PRS"),
        Arguments.of(
            new TdiReport(0b00010, List.of(tee), MemorySegment.NULL, 51),
            bar,
            "its addresses have 51 bits, and 52 are needed"),
        Arguments.of(report(0b00010, tee), Bar.memory32(0, PAGE), "BAR0"));
  }

  private static TdiReport report(int info, TdiRange range) {
    return new TdiReport(info, List.of(range), MemorySegment.NULL);
  }

  private static DeviceModel device(TdiReport report, Bar bar) {
    return DeviceModel.memory(
        DeviceShape.builder(0x1234, 0x5678)
            .bar(bar)
            .bar(Bar.memory32(4, PAGE))
            .msiX(new MsiX(4, 4, 0, 4, 0x800))
            .express(new Express(true, true, true))
            .tdi(report)
            .build());
  }

  @ParameterizedTest
  @MethodSource("refusedByTdx")
  void aTdxModuleRefusesWhatItsGuideExcludesAndSaysWhy(TdiReport report, Bar bar, String why) {
    DeviceModel model = device(report, bar);
    try (AssignedEndpoint at = AssignedEndpoint.ofModel(Platform.TDX, Profile.SEED_2025, model)) {
      assertThat(SeedCalls.bind(at)).isEqualTo(no(Errno.EIO));
      assertThat(at.log()).singleElement().asString().contains(why);
      assertThat(at.bound()).isEmpty();
    }
    try (AssignedEndpoint at = AssignedEndpoint.ofModel(Platform.SEV, Profile.SEED_2025, model)) {
      assertThat(SeedCalls.bind(at)).as("a SEV host").isZero();
    }
  }

  @Test
  void aTdxModuleStartsNothingWhoseTeeMemoryIsNotMappedPrivate() {
    try (AssignedEndpoint at = AssignedEndpoint.on(Platform.TDX, Profile.SEED_2025)) {
      assertThat(SeedCalls.bind(at)).isZero();
      assertThat(SeedCalls.setState(at, TdiState.RUN)).isEqualTo(no(Errno.EIO));
      assertThat(at.state()).isEqualTo(TdiState.CONFIG_LOCKED);
      assertThat(at.log())
          .singleElement()
          .asString()
          .endsWith("BAR0+0x0 is TEE memory and not mapped private");
    }
    try (AssignedEndpoint at = AssignedEndpoint.on(Platform.SEV, Profile.SEED_2025)) {
      assertThat(SeedCalls.bind(at)).isZero();
      assertThat(SeedCalls.setState(at, TdiState.RUN)).as("a SEV host").isZero();
    }
  }

  @Test
  void aTdxModuleTakesTheEndpointButNotWithALockedMsixTable() {
    try (AssignedEndpoint at = AssignedEndpoint.on(Platform.TDX, Profile.SEED_2025)) {
      assertThat(at.bar(0)).isGreaterThanOrEqualTo(1L << 32);
      assertThat(SeedCalls.bind(at)).isZero();
      ok(SeedCalls.unbind(at));
      at.kernel.tsm().lockMsix();
      assertThat(SeedCalls.bind(at)).isEqualTo(no(Errno.EIO));
      assertThat(at.log()).singleElement().asString().contains("MSI-X");
    }
  }
}
