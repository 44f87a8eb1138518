package dev.iolite.tdi.ledger;

import dev.iolite.tdi.layout.Kind;

/**
 * A dma-buf that slots and maps are made of; another dma-buf with the same name is not the same
 * one.
 */
final class DmaBuf {
  /** Whether it is still usable. */
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

  private final String name;
  private final Kind kind;
  private State state;

  DmaBuf(String name, Kind kind, State state) {
    this.name = name;
    this.kind = kind;
    this.state = state;
  }

  String name() {
    return name;
  }

  Kind kind() {
    return kind;
  }

  State state() {
    return state;
  }

  void become(State changed) {
    state = changed;
  }
}
