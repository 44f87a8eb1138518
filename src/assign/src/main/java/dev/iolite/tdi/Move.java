package dev.iolite.tdi;

/** A move: transitions are made of moves, and each move consists of steps. */
public enum Move {
  UNDO_REST("undo what an earlier release could not"),
  PREPARE("make host and guest ready"),
  SHARE("share the BARs"),
  CHECK_LOCKABLE("check that the device can be locked"),
  WITHDRAW("take the BARs back, check that none is left mapped"),
  LOCK("bind and lock the interface"),
  SPLIT("learn what is private, split the BARs"),
  START("start the interface"),
  TAKE_BACK("take the BARs back"),
  UNDO_BIND("stop, take the BARs back, unbind"),
  PROVE("take the BARs back, unbind, check that it is released"),
  REPORT_REVOKED("report the revocation"),
  REPORT_UNCLEAR("report that its state is unknown"),
  ASK_WHETHER_FAILED("ask whether the interface has failed; if so: revoked"),
  RETRY("if something could not be taken back: revoked"),
  UNDO_ALL("undo the bind, then everything else; check that nothing is held");

  private final String words;

  Move(String words) {
    this.words = words;
  }

  /** What is done, in words for people. */
  @Override
  public String toString() {
    return words;
  }
}
