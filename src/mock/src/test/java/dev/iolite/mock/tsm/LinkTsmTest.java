package dev.iolite.mock.tsm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.BarRange;
import dev.iolite.mock.core.KvmReference;
import dev.iolite.mock.core.Memory;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.tsm.TdiState;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The TSM of drivers/pci/tsm.c and the states of TDISP. */
class LinkTsmTest {
  private static final int VIRTUAL_BDF = 0x10;

  private final Map<String, TeeFunction> functions = new LinkedHashMap<>();
  private final Function function = add("0000:00:05.0");
  private final Vm vm = new Vm();
  private int changes;
  private final LinkTsm tsm = new LinkTsm(functions::values, LockRules.software());

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
    LinkTsm tdx = new LinkTsm(functions::values, LockRules.tdx(0));
    tdx.connect(function, "tsm0");
    function.report[0] = 0b10;
    function.barAddress = (1L << 32) - 0x1000;
    refuses(Errno.EIO, () -> tdx.bind(function, Optional.of(vm), VIRTUAL_BDF, true));
    assertThat(tdx.log()).singleElement().asString().contains("above 4 GiB (0xfffff000)");
    assertThat(tdx.tdi(function)).isEmpty();
    assertThat(function.guard).isEmpty();

    function.barAddress = 1L << 32;
    tdx.bind(function, Optional.of(vm), VIRTUAL_BDF, true);
    assertThat(tdx.tdi(function).orElseThrow().state()).isEqualTo(TdiState.CONFIG_LOCKED);
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
    tsm.loseLink(function);
    assertThat(tsm.tdi(second).orElseThrow().state()).isEqualTo(TdiState.ERROR);
    assertThat(tsm.measurements(second, nonce(2))).asString().isEqualTo("0000:00:05.0 2");
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
    tsm.loseLink(function);
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
    refuses(Errno.EINVAL, () -> tsm.validateMmio(function, 0x1000, 0x1000, 0, true));
    refuses(Errno.EINVAL, () -> tsm.validateMmio(function, 0x1000, 0x2001, 0, true));
    tsm.validateMmio(function, 0x1000, 0x2000, 0, true);
    tsm.setState(function, TdiState.CONFIG_UNLOCKED.number());
    refuses(Errno.EIO, () -> tsm.validateMmio(function, 0x1000, 0x2000, 0, true));
  }

  private static final class Vm implements KvmReference {
    private final Set<Long> mapped = new HashSet<>();

    @Override
    public void getKvm() {}

    @Override
    public void putKvm() {}

    @Override
    public boolean mapPrivate(long gpa, long bytes, Memory memory, String what) {
      return mapped.add(gpa);
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
