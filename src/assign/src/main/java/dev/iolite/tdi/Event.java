package dev.iolite.tdi;

import java.util.Locale;

/** An event of an assignment: something that a caller or the guest asks for, or that is noticed. */
public enum Event {
  ASSIGN("assign"),
  BIND("bind"),
  START("start"),
  UNBIND("unbind"),
  MEASURE("read the measurements of"),
  RESET("reset the device"),
  HOT_RESET("hot-reset"),
  SLEEP("let the kernel suspend the device"),
  WAKE("wake"),
  WRITE_CONFIG("write to the config space of"),
  LOOK("look for revoked mappings of"),
  /** The kernel has revoked the device's mappings, or the BARs have moved. */
  REVOKED("map again what was revoked of"),
  /** A call of the TSM may or may not have taken effect. */
  UNCLEAR("quarantine"),
  PROVE_RELEASED("prove the release of"),
  RELEASE("release");

  private final String attempt;

  Event(String attempt) {
    this.attempt = attempt;
  }

  /** What was attempted, in words to be followed by the device's address. */
  String attempt() {
    return attempt;
  }

  /** Whether it is refused once everything is closed, even if the interface may still be bound. */
  boolean needsDevice() {
    return this != LOOK && this != REVOKED && this != RELEASE;
  }

  /** For example {@code hot reset}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
