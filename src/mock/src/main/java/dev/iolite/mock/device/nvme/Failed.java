package dev.iolite.mock.device.nvme;

/** A command ends with an error. */
final class Failed extends RuntimeException {
  static final int INVALID_OPCODE = 0x001;
  static final int INVALID_FIELD = 0x002;
  static final int DATA_TRANSFER_ERROR = 0x004;
  static final int INVALID_NAMESPACE = 0x00b;
  static final int SEQUENCE_ERROR = 0x00c;
  static final int INVALID_PRP_OFFSET = 0x013;
  static final int COMMAND_SETS_REJECTED = 0x02b;
  static final int LBA_OUT_OF_RANGE = 0x080;
  static final int INVALID_COMPLETION_QUEUE = 0x100;
  static final int INVALID_QUEUE = 0x101;
  static final int INVALID_QUEUE_SIZE = 0x102;
  static final int EVENT_LIMIT_EXCEEDED = 0x105;
  static final int INVALID_INTERRUPT_VECTOR = 0x108;
  static final int INVALID_QUEUE_DELETION = 0x10c;
  static final int FEATURE_NOT_SAVEABLE = 0x10d;
  static final int FEATURE_NOT_CHANGEABLE = 0x10e;
  static final int FEATURE_NOT_OF_A_NAMESPACE = 0x10f;
  static final int COMPARE_FAILURE = 0x285;

  private static final int DO_NOT_RETRY = 0x4000;
  private static final long serialVersionUID = 1L;

  private final int status;

  private Failed(int status) {
    super("status 0x" + Integer.toHexString(status), null, false, false);
    this.status = status;
  }

  /** It would fail again. */
  static Failed with(int status) {
    return new Failed(status | DO_NOT_RETRY);
  }

  /** It might succeed another time. */
  static Failed once(int status) {
    return new Failed(status);
  }

  static void failIf(boolean failed, int status) {
    if (failed) {
      throw with(status);
    }
  }

  int status() {
    return status;
  }
}
