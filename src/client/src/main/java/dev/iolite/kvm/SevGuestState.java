package dev.iolite.kvm;

/** The state of a guest, as GUEST_STATUS of AMD's SEV API (publication 55766) numbers them. */
public enum SevGuestState {
  /** Not started. */
  UNINIT,
  /** Being launched: its memory and registers are encrypted and measured. */
  LUPDATE,
  /** Being launched: it is measured, and its owner's secrets can be added. */
  LSECRET,
  /** Launched or received. */
  RUNNING,
  /** Being sent to another machine. */
  SUPDATE,
  /** Being received from another machine. */
  RUPDATE,
  /** Sent to another machine. */
  SENT,
  /** A number that is none of these. */
  UNKNOWN;

  static SevGuestState of(int number) {
    return number >= 0 && number < UNKNOWN.ordinal() ? values()[number] : UNKNOWN;
  }
}
