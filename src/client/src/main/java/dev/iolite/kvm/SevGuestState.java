package dev.iolite.kvm;

import java.util.Arrays;

/** The state of a guest, as GUEST_STATUS of AMD's SEV API (publication 55766) numbers them. */
public enum SevGuestState {
  /** Not started. */
  UNINIT(0),
  /** Being launched: its memory and registers are encrypted and measured. */
  LUPDATE(1),
  /** Being launched: it is measured, and its owner's secrets can be added. */
  LSECRET(2),
  /** Launched or received. */
  RUNNING(3),
  /** Being sent to another machine. */
  SUPDATE(4),
  /** Being received from another machine. */
  RUPDATE(5),
  /** Sent to another machine. */
  SENT(6),
  /** A number that is none of these. */
  UNKNOWN(-1);

  private final int number;

  SevGuestState(int number) {
    this.number = number;
  }

  static SevGuestState of(int number) {
    return Arrays.stream(values())
        .filter(state -> state.number == number)
        .findFirst()
        .orElse(UNKNOWN);
  }
}
