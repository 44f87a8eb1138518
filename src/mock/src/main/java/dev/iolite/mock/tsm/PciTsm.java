package dev.iolite.mock.tsm;

import dev.iolite.mock.core.MappingRequest;
import dev.iolite.mock.core.TdiNonces;
import dev.iolite.mock.core.TeeFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A TSM's record of a function (struct pci_tsm). */
final class PciTsm {
  private final TeeFunction function;
  private final TeeFunction manager;
  private Optional<Tdi> tdi = Optional.empty();
  private Optional<byte[]> measurements = Optional.empty();
  private boolean linkLost;
  private long nonces;
  private TdiNonces current = new TdiNonces(0, 0, 0);

  PciTsm(TeeFunction function, TeeFunction manager) {
    this.function = function;
    this.manager = manager;
  }

  TeeFunction function() {
    return function;
  }

  /** The device security manager, which answers for the function. */
  TeeFunction manager() {
    return manager;
  }

  Optional<Tdi> tdi() {
    return tdi;
  }

  /** Whether the TSM can't talk to the device any more; only a new connection helps. */
  boolean linkLost() {
    return linkLost;
  }

  void loseLink() {
    linkLost = true;
  }

  void setTdi(Optional<Tdi> bound) {
    tdi = bound;
    measurements = Optional.empty();
  }

  /** The measurements that are kept to be read; another VM does not get them. */
  Optional<byte[]> measurements() {
    return measurements;
  }

  void keepMeasurements(byte[] message) {
    measurements = Optional.of(message);
    current = new TdiNonces(current.lock(), current.report(), ++nonces);
  }

  /** Called when its interface was locked, which makes its report anew. */
  void locked() {
    current = new TdiNonces(++nonces, ++nonces, current.measurements());
  }

  void reportRegenerated() {
    current = new TdiNonces(current.lock(), ++nonces, current.measurements());
  }

  /** What a realm's monitor tells it about the interface; empty if it is not bound. */
  Optional<TdiNonces> nonces() {
    return tdi.map(_ -> current);
  }

  /** Why a realm's request for a mapping is stale: it has not looked at what is there now. */
  Optional<String> staleNonce(MmioRange range, Tdi bound) {
    return bound
        .vm()
        .mappingRequest()
        .filter(asked ->
            asked.gpaBase() == range.gpaBase()
                && asked.gpaTop() == range.gpaTop()
                && asked.physical() == range.physical())
        .map(MappingRequest::nonces)
        .flatMap(this::stale);
  }

  private Optional<String> stale(TdiNonces asked) {
    List<String> stale = new ArrayList<>();
    if (asked.lock() != current.lock()) {
      stale.add("lock");
    }
    if (asked.report() != current.report()) {
      stale.add("report");
    }
    if (asked.measurements() != current.measurements()) {
      stale.add("measurements");
    }
    return stale.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "the realm's nonce of the %s is stale".formatted(String.join(" and the ", stale)));
  }
}
