package dev.iolite.tdi.ledger;

import dev.iolite.tdi.layout.Kind;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** The dma-bufs that slots and maps are made of, with numbers that fit the facts of a page. */
final class DmaBufNames {
  /** What can still be done with a dma-buf. */
  enum State {
    LIVE("live"),
    REVOKED("revoked"),
    CLOSED("closed");

    private final String words;

    State(String words) {
      this.words = words;
    }

    @Override
    public String toString() {
      return words;
    }
  }

  /** A dma-buf. */
  record DmaBuf(String name, Kind kind, State state) {
    DmaBuf withState(State changed) {
      return new DmaBuf(name, kind, changed);
    }
  }

  private static final int FEW = 64;

  private final Map<Integer, DmaBuf> byNumber = new HashMap<>();
  private final BitSet taken = new BitSet();
  private final Map<String, Integer> numbers = new HashMap<>();

  /** Sets the bits of the numbers that pages have. */
  private final Consumer<BitSet> users;

  private int sweepAt = FEW;

  DmaBufNames(Consumer<BitSet> users) {
    this.users = users;
  }

  void opened(String name, Kind kind, boolean live) {
    Optional.ofNullable(numbers.get(name))
        .map(byNumber::get)
        .ifPresent(old -> {
          if (old.state() == State.LIVE) {
            throw new IllegalArgumentException("dma-buf " + name + " is open");
          }
        });
    if (byNumber.size() >= sweepAt) {
      forgetUnused();
      sweepAt = Math.max(FEW, 2 * byNumber.size());
    }
    int number = taken.nextClearBit(1);
    if (number > Facts.MOST_DMA_BUFS) {
      forgetUnused();
      number = taken.nextClearBit(1);
    }
    if (number > Facts.MOST_DMA_BUFS) {
      throw new IllegalStateException(
          "more than %d dma-bufs are in use".formatted(Facts.MOST_DMA_BUFS));
    }
    taken.set(number);
    byNumber.put(number, new DmaBuf(name, kind, live ? State.LIVE : State.REVOKED));
    numbers.put(name, number);
  }

  /** Those that are closed, or opened anew under their name, and that no page has. */
  private void forgetUnused() {
    BitSet used = new BitSet();
    users.accept(used);
    byNumber.entrySet().removeIf(entry -> !used.get(entry.getKey()) && isOver(entry));
    numbers.values().removeIf(number -> !byNumber.containsKey(number));
    taken.clear();
    byNumber.keySet().forEach(taken::set);
  }

  private boolean isOver(Map.Entry<Integer, DmaBuf> entry) {
    return entry.getValue().state() == State.CLOSED
        || !entry.getKey().equals(numbers.get(entry.getValue().name()));
  }

  void changed(String name, State state) {
    byNumber.computeIfPresent(number(name), (_, old) -> old.withState(state));
  }

  int number(String name) {
    return Optional.ofNullable(numbers.get(name))
        .orElseThrow(() -> new IllegalArgumentException("no dma-buf " + name + " was opened"));
  }

  /** The dma-buf of a number; empty for 0. */
  Optional<DmaBuf> of(int number) {
    return Optional.ofNullable(byNumber.get(number));
  }
}
