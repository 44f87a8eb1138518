package dev.iolite.mock.tsm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.BarRange;
import dev.iolite.mock.core.KvmReference;
import dev.iolite.mock.core.MappingRequest;
import dev.iolite.mock.core.Memory;
import dev.iolite.mock.core.Reach;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.TdiNonces;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.tsm.TdiState;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The TSM of drivers/pci/tsm.c and the states of TDISP. */
class LinkTsmTest {
  private static final int VIRTUAL_BDF = 0x10;

  private final Map<String, TeeFunction> functions = new LinkedHashMap<>();
  private final Function function = add("0000:00:05.0");
  private final Vm vm = new Vm();
  private int changes;
  private final List<String> log = new ArrayList<>();
  private final LinkTsm tsm = new LinkTsm(functions::values, LockRules.software(), log::add);

  @BeforeEach
  void countChanges() {
    tsm.listen(_ -> changes++);
  }

  private Function add(String name) {
    Function made = new Function(name);
    functions.put(name, made);
    return made;
  }

  private static void refuses(Errno errno, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(Refused.class, r -> assertThat(r.errno()).isEqualTo(errno));
  }

  private void bindLocked() {
    tsm.connect(function, "tsm0");
    tsm.bind(function, Optional.of(vm), VIRTUAL_BDF, true);
  }

  private TdiState state() {
    return tsm.tdi(function).orElseThrow().state();
  }

  @Test
  void connectTakesOnlyTheNameOfATsmThatIsThereAndOnlyOnce() {
    refuses(Errno.EINVAL, () -> tsm.connect(function, "tsm"));
    refuses(Errno.EINVAL, () -> tsm.connect(function, "sev0"));
    refuses(Errno.ENXIO, () -> tsm.connect(function, "tsm1"));
    tsm.connect(function, "tsm0");
    refuses(Errno.EBUSY, () -> tsm.connect(function, "tsm7"));
    assertThat(tsm.isConnected(function)).isTrue();
  }

  @Test
  void connectingFunction0ServesItsWholeSlot() {
    Function second = add("0000:00:05.1");
    Function elsewhere = add("0000:00:06.0");
    tsm.connect(function, "tsm0");

    assertThat(tsm.manager(second)).contains(function);
    assertThat(tsm.manager(elsewhere)).isEmpty();
  }

  @Test
  void disconnectNeedsTheNameAndUnbindsWhatIsBound() {
    refuses(Errno.ENXIO, () -> tsm.disconnect(function, "tsm0"));
    bindLocked();
    refuses(Errno.EINVAL, () -> tsm.disconnect(function, "tsm1"));
    tsm.disconnect(function, "tsm0");

    assertThat(tsm.tdi(function)).isEmpty();
    assertThat(function.guard).isEmpty();
  }

  @Test
  void bindChecksTheVmBeforeTheConnection() {
    refuses(Errno.EINVAL, () -> tsm.bind(function, Optional.empty(), VIRTUAL_BDF, true));
    refuses(Errno.EINVAL, () -> tsm.bind(function, Optional.of(vm), VIRTUAL_BDF, true));
  }

  @Test
  void bindIsIdempotentForOneVmAndBusyForAnother() {
    bindLocked();
    int before = changes;
    tsm.bind(function, Optional.of(vm), VIRTUAL_BDF, true);
    assertThat(changes).isEqualTo(before);
    refuses(Errno.EBUSY, () -> tsm.bind(function, Optional.of(new Vm()), VIRTUAL_BDF, true));
  }

  @Test
  void aDeviceThatIsGoneCanNotBeLocked() {
    function.present = false;
    tsm.connect(function, "tsm0");
    refuses(Errno.EIO, () -> tsm.bind(function, Optional.of(vm), VIRTUAL_BDF, true));
    assertThat(tsm.tdi(function)).isEmpty();
  }

  @Test
  void aTdxModuleTakesTeeMemoryAbove4GiBOnlyAndUnlocksWhatItRefuses() {
    LinkTsm tdx = new LinkTsm(functions::values, LockRules.tdx(0), log::add);
    tdx.connect(function, "tsm0");
    function.report[0] = 0b10;
    function.barAddress = (1L << 32) - 0x1000;
    refuses(Errno.EIO, () -> tdx.bind(function, Optional.of(vm), VIRTUAL_BDF, true));
    assertThat(log).singleElement().asString().contains("above 4 GiB (0xfffff000)");
    assertThat(tdx.tdi(function)).isEmpty();
    assertThat(function.guard).isEmpty();

    function.barAddress = 1L << 32;
    tdx.bind(function, Optional.of(vm), VIRTUAL_BDF, true);
    assertThat(tdx.tdi(function).orElseThrow().state()).isEqualTo(TdiState.CONFIG_LOCKED);
  }

  /** MSI-X control at 4, LNR control at 6, TPH control at 8. */
  @ParameterizedTest
  @ValueSource(ints = {4, 5, 6, 7, 8, 11})
  void aTdxModuleTakesNoInterfaceWithAControlThatIsOn(int at) {
    LinkTsm tdx = new LinkTsm(functions::values, LockRules.tdx(0), log::add);
    tdx.connect(function, "tsm0");
    function.report[0] = 0b10;
    function.report[at] = 1;
    refuses(Errno.EIO, () -> tdx.bind(function, Optional.of(vm), VIRTUAL_BDF, true));
    assertThat(log).singleElement().asString().contains("MSI-X, LNR or TPH control is not 0");
    function.report[at] = 0;
    tdx.bind(function, Optional.of(vm), VIRTUAL_BDF, true);
  }

  @Test
  void requestsNeedABoundInterface() {
    refuses(Errno.ENXIO, () -> tsm.setState(function, 2));
    tsm.connect(function, "tsm0");
    refuses(Errno.ENXIO, () -> tsm.report(function));
  }

  private static byte[] nonce(int first) {
    byte[] nonce = new byte[TeeFunction.NONCE_BYTES];
    nonce[0] = (byte) first;
    return nonce;
  }

  @Test
  void measurementsAreTheManagersInEveryStateOfABoundInterface() {
    Function second = add("0000:00:05.1");
    tsm.connect(function, "tsm0");
    refuses(Errno.ENXIO, () -> tsm.measurements(second, nonce(1)));
    tsm.bind(second, Optional.of(vm), VIRTUAL_BDF, false);
    assertThat(tsm.measurements(second, nonce(1))).asString().isEqualTo("0000:00:05.0 1");
    tsm.setState(second, TdiState.CONFIG_LOCKED.number());
    tsm.fail(function);
    assertThat(tsm.tdi(second).orElseThrow().state()).isEqualTo(TdiState.ERROR);
    assertThat(tsm.measurements(second, nonce(2))).asString().isEqualTo("0000:00:05.0 2");
  }

  @Test
  void aLostLinkComesBackOnlyWithANewConnection() {
    bindLocked();
    tsm.keepMeasurements(function, nonce(1));
    tsm.loseLink(function);
    assertThat(tsm.tdi(function).orElseThrow().state()).isEqualTo(TdiState.ERROR);
    refuses(Errno.EIO, () -> tsm.requireReached(function));
    refuses(Errno.EIO, () -> tsm.measurements(function, nonce(2)));
    assertThat(tsm.keptMeasurements(function)).asString().endsWith(" 1");
    tsm.unbind(function);
    refuses(Errno.EIO, () -> tsm.bind(function, Optional.of(vm), VIRTUAL_BDF, true));
    refuses(Errno.ENXIO, () -> tsm.requireReached(function));
    tsm.disconnect(function, "tsm0");
    tsm.connect(function, "tsm0");
    tsm.bind(function, Optional.of(vm), VIRTUAL_BDF, true);
    tsm.requireReached(function);
  }

  @Test
  void keptMeasurementsAreThoseOfTheLastNonceAndEndWithTheBinding() {
    refuses(Errno.ENXIO, () -> tsm.keptMeasurements(function));
    bindLocked();
    refuses(Errno.ENODATA, () -> tsm.keptMeasurements(function));
    tsm.keepMeasurements(function, nonce(1));
    tsm.keepMeasurements(function, nonce(2));
    tsm.measurements(function, nonce(3));
    assertThat(tsm.keptMeasurements(function)).asString().endsWith(" 2");
    tsm.errors().failNext(TsmErrors.Operation.MEASUREMENTS, Errno.EIO, false);
    refuses(Errno.EIO, () -> tsm.keepMeasurements(function, nonce(4)));
    assertThat(tsm.keptMeasurements(function)).asString().endsWith(" 2");
    tsm.unbind(function);
    tsm.bind(function, Optional.of(new Vm()), VIRTUAL_BDF, true);
    refuses(Errno.ENODATA, () -> tsm.keptMeasurements(function));
  }

  @Test
  void theInterfaceGoesFromLockedToRunOnceAndNeverBack() {
    bindLocked();
    assertThat(state()).isEqualTo(TdiState.CONFIG_LOCKED);
    tsm.setState(function, TdiState.RUN.number());
    assertThat(state()).isEqualTo(TdiState.RUN);
    refuses(Errno.EIO, () -> tsm.setState(function, TdiState.RUN.number()));
    refuses(Errno.EBUSY, () -> tsm.setState(function, TdiState.CONFIG_LOCKED.number()));
    refuses(Errno.EINVAL, () -> tsm.setState(function, 3));
    assertThat(state()).isEqualTo(TdiState.RUN);
  }

  @Test
  void aChangeOfTheConfigurationLeadsToErrorAndOnlyAStopOut() {
    bindLocked();
    tsm.setState(function, TdiState.RUN.number());
    function.guard.orElseThrow().configurationChanged();
    assertThat(state()).isEqualTo(TdiState.ERROR);
    refuses(Errno.EIO, () -> tsm.setState(function, TdiState.RUN.number()));
    refuses(Errno.EBUSY, () -> tsm.setState(function, TdiState.CONFIG_LOCKED.number()));
    refuses(Errno.EIO, () -> tsm.report(function));

    tsm.setState(function, TdiState.CONFIG_UNLOCKED.number());
    tsm.setState(function, TdiState.CONFIG_LOCKED.number());
    assertThat(state()).isEqualTo(TdiState.CONFIG_LOCKED);
  }

  @Test
  void teeMemoryAnswersTheGuestInRunOnlyAndTheHostNeverWhileLocked() {
    bindLocked();
    TeeFunction.Guard guard = function.guard.orElseThrow();
    assertThat(guard.admits(0, Function.TEE, true)).isFalse();
    assertThat(guard.admits(0, Function.TEE, false)).isFalse();
    assertThat(guard.admits(0, Function.SHARED, false)).isTrue();
    assertThat(guard.admits(0, Function.SHARED, true)).isFalse();
    tsm.setState(function, TdiState.RUN.number());
    assertThat(guard.admits(0, Function.TEE, true)).isTrue();
    assertThat(guard.admits(0, Function.TEE, false)).isFalse();
    assertThat(guard.admits(0, Function.SHARED, true)).as("T may be set there").isTrue();
    assertThat(guard.admits(0, Function.SHARED, false)).isTrue();
  }

  @Test
  void aLostLinkPutsEveryInterfaceBehindItInError() {
    bindLocked();
    tsm.fail(function);
    assertThat(state()).isEqualTo(TdiState.ERROR);
  }

  @Test
  void aPlannedErrorComesBeforeOrAfterTheEffect() {
    tsm.connect(function, "tsm0");
    tsm.errors().failNext(TsmErrors.Operation.BIND, Errno.EIO, false);
    refuses(Errno.EIO, () -> tsm.bind(function, Optional.of(vm), VIRTUAL_BDF, true));
    assertThat(tsm.tdi(function)).isEmpty();

    tsm.errors().failNext(TsmErrors.Operation.BIND, Errno.EIO, true);
    refuses(Errno.EIO, () -> tsm.bind(function, Optional.of(vm), VIRTUAL_BDF, true));
    assertThat(state()).isEqualTo(TdiState.CONFIG_LOCKED);
  }

  @Test
  void mmioIsValidatedInWholePagesOfALockedInterface() {
    bindLocked();
    refuses(Errno.EINVAL, () -> tsm.validateMmio(function, new MmioRange(0x1000, 0x1000, 0), true));
    refuses(Errno.EINVAL, () -> tsm.validateMmio(function, new MmioRange(0x1000, 0x2001, 0), true));
    tsm.validateMmio(function, new MmioRange(0x1000, 0x2000, 0), true);
    tsm.setState(function, TdiState.CONFIG_UNLOCKED.number());
    refuses(Errno.EIO, () -> tsm.validateMmio(function, new MmioRange(0x1000, 0x2000, 0), true));
  }

  /** SEV-TIO: the id of the range in the report is checked against it. */
  @Test
  void aRangeIsTheReportsWithItsId() {
    bindLocked();
    long start = function.barAddress;
    MmioRange right = new MmioRange(0x1000, 0x2000, start, OptionalInt.of(0));
    assertThat(right.wrongId(function)).isEmpty();
    refuses(
        Errno.EINVAL,
        () ->
            tsm.validateMmio(
                function, new MmioRange(0x1000, 0x2000, start, OptionalInt.of(2)), true));
    assertThat(log).singleElement().asString().endsWith("no TEE memory with range id 2");
    refuses(
        Errno.EINVAL,
        () ->
            tsm.validateMmio(
                function, new MmioRange(0x1000, 0x3000, start, OptionalInt.of(0)), true));
    assertThat(log.getLast()).contains("0x2000 bytes, is not in the TEE memory");
  }

  /** CCA: a realm that has looked at another lock, report or measurement is refused. */
  @Test
  void aMappingIsForWhatTheRealmHasLookedAt() {
    bindLocked();
    tsm.keepMeasurements(function, nonce(1));
    MmioRange range = new MmioRange(0x1000, 0x2000, 0);
    TdiNonces first = tsm.nonces(function).orElseThrow();
    vm.asked = Optional.of(new MappingRequest(0x1000, 0x2000, 0, first));
    tsm.validateMmio(function, range, false);

    tsm.keepMeasurements(function, nonce(2));
    refusedAsStale(range, "measurements");
    tsm.regenerateReport(function);
    refusedAsStale(range, "report and the measurements");
    vm.asked =
        Optional.of(new MappingRequest(0x1000, 0x2000, 0, tsm.nonces(function).orElseThrow()));
    tsm.validateMmio(function, range, false);
    tsm.setState(function, TdiState.CONFIG_UNLOCKED.number());
    tsm.setState(function, TdiState.CONFIG_LOCKED.number());
    refusedAsStale(range, "lock and the report");
  }

  private void refusedAsStale(MmioRange range, String what) {
    refuses(Errno.EINVAL, () -> tsm.validateMmio(function, range, false));
    assertThat(log.getLast()).endsWith("the realm's nonce of the " + what + " is stale");
  }

  /** TDX: MMIO is mapped private before RUN. */
  @Test
  void aTdxModuleStartsAnInterfaceOnceAllOfItsTeeMemoryIsMappedPrivate() {
    LinkTsm tdx = new LinkTsm(functions::values, LockRules.tdx(0), log::add);
    tdx.mapsBySlots();
    tdx.connect(function, "tsm0");
    function.report[0] = 0b10;
    tdx.bind(function, Optional.of(vm), VIRTUAL_BDF, true);
    for (List<BarRange> some :
        List.of(
            List.<BarRange>of(),
            List.of(new BarRange(1, 0xfff)),
            List.of(new BarRange(0, 0x800)))) {
      vm.slots = some;
      refuses(Errno.EIO, () -> tdx.setState(function, TdiState.RUN.number()));
      assertThat(tdx.tdi(function).orElseThrow().state()).isEqualTo(TdiState.CONFIG_LOCKED);
    }
    assertThat(log.getFirst())
        .isEqualTo(
            "0000:00:05.0: the interface does not run: BAR0+0x0 is TEE memory and not mapped"
                + " private");
    assertThat(log.getLast()).contains("BAR0+0x800");
    vm.slots = List.of(new BarRange(0x800, 0x1000), new BarRange(0, 0x800));
    tdx.setState(function, TdiState.RUN.number());
    assertThat(tdx.tdi(function).orElseThrow().state()).isEqualTo(TdiState.RUN);
  }

  /** GET_DEVICE_INTERFACE_REPORT reads portions, whatever a report's length is. */
  @Test
  void aReportIsReadInPortions() {
    bindLocked();
    for (int bytes : new int[] {20, 1023, 1024, 1025, 4096, 4097, 0xffff}) {
      byte[] whole = new byte[bytes];
      new Random(bytes).nextBytes(whole);
      function.report = whole;
      assertThat(tsm.report(function)).isEqualTo(whole);
    }
    function.report = new byte[0x10000];
    refuses(Errno.EIO, () -> tsm.report(function));
    assertThat(log).singleElement().asString().contains("65536 bytes, and at most 65535");
    function.report = new byte[4097];
    refuses(Errno.EIO, () -> tsm.report(function, 4096));
    assertThat(log.getLast()).endsWith("the report has 4097 bytes, and at most 4096 can be taken");
  }

  @Test
  void aDeviceAnswersWithAPortionAndTheRemainder() {
    byte[] report = new byte[2500];
    report[2499] = 7;
    assertThat(ReportMessages.answer(report, 0, 0xffff).orElseThrow().remainder()).isEqualTo(1476);
    var last = ReportMessages.answer(report, 2048, 0xffff).orElseThrow();
    assertThat(last.bytes().toArray(ValueLayout.JAVA_BYTE)).hasSize(452).endsWith(7);
    assertThat(last.remainder()).isZero();
    assertThat(ReportMessages.answer(report, 10, 16).orElseThrow().bytes().byteSize())
        .isEqualTo(16);
    assertThat(ReportMessages.answer(report, 2500, 1)).as("behind its end").isEmpty();
  }

  private static final class Vm implements KvmReference {
    private List<BarRange> slots = List.of();
    private Optional<MappingRequest> asked = Optional.empty();

    @Override
    public List<BarRange> privateSlots(TeeFunction owner, int bar) {
      return slots;
    }

    @Override
    public Optional<MappingRequest> mappingRequest() {
      return asked;
    }

    private final Set<Long> mapped = new HashSet<>();

    @Override
    public void getKvm() {}

    @Override
    public void putKvm() {}

    @Override
    public void mapPrivate(
        long gpa, long bytes, Memory memory, String what, Supplier<Reach> reach) {
      refuseIf(!mapped.add(gpa), Errno.EEXIST);
    }

    @Override
    public void unmapPrivate(long gpa) {
      mapped.remove(gpa);
    }
  }

  private record NoMemory() implements Memory {
    @Override
    public void read(long offset, MemorySegment into) {}

    @Override
    public void write(long offset, MemorySegment from) {}
  }

  /** A function with one BAR of two pages, of which the first is TEE memory. */
  private static final class Function implements TeeFunction {
    static final long TEE = 0;
    static final long SHARED = 0x1000;

    private final String name;
    private boolean present = true;
    private byte[] report = new byte[20];
    private long barAddress = 1L << 40;
    private Optional<Guard> guard = Optional.empty();

    Function(String name) {
      this.name = name;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public boolean isExpress() {
      return true;
    }

    @Override
    public boolean isManager() {
      return name.endsWith(".0");
    }

    @Override
    public boolean hasTee() {
      return true;
    }

    @Override
    public boolean isPresent() {
      return present;
    }

    @Override
    public byte[] interfaceReport(long mmioOffset) {
      return report;
    }

    @Override
    public int addressWidth() {
      return 52;
    }

    @Override
    public byte[] measurements(byte[] nonce) {
      return (name + " " + nonce[0]).getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public boolean isTeeMemory(int bar, long offset) {
      return offset < SHARED;
    }

    @Override
    public List<BarRange> teeRanges(int bar) {
      return List.of(new BarRange(TEE, SHARED));
    }

    @Override
    public List<TeeBar> teeBars() {
      return List.of(new TeeBar(0, true, barAddress));
    }

    @Override
    public Optional<Memory> trustedMemory(long physical, long bytes) {
      return physical + bytes <= SHARED ? Optional.of(new NoMemory()) : Optional.empty();
    }

    @Override
    public void setGuard(Optional<Guard> newGuard) {
      guard = newGuard;
    }
  }
}
