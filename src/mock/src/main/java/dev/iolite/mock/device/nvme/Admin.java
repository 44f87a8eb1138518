package dev.iolite.mock.device.nvme;

import static dev.iolite.mock.device.nvme.Failed.failIf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.OptionalInt;

/** The commands of the admin queue (hw/nvme/ctrl.c:nvme_admin_cmd). */
final class Admin {
  /** How many requests for events may wait. */
  static final int EVENT_REQUESTS = 4;

  private static final int DELETE_SUBMISSION = 0x00;
  private static final int CREATE_SUBMISSION = 0x01;
  private static final int GET_LOG_PAGE = 0x02;
  private static final int DELETE_COMPLETION = 0x04;
  private static final int CREATE_COMPLETION = 0x05;
  private static final int IDENTIFY = 0x06;
  private static final int ABORT = 0x08;
  private static final int SET_FEATURES = 0x09;
  private static final int GET_FEATURES = 0x0a;
  private static final int REQUEST_EVENT = 0x0c;

  private static final int NOT_ABORTED = 1;
  private static final int ROOM_TEMPERATURE = 323;

  private final Queues queues;
  private final Identity identity;
  private final Features features;
  private int eventRequests;

  Admin(Queues queues, Identity identity, Features features) {
    this.queues = queues;
    this.identity = identity;
    this.features = features;
  }

  /** Called when the controller is disabled. */
  void forget() {
    eventRequests = 0;
  }

  /**
   * Runs a command.
   *
   * @return what it returns; empty if it does not end
   */
  OptionalInt run(Command command, CommandData data, long pageBytes, boolean hasMessages) {
    int opcode = command.opcode();
    failIf(!isKnown(opcode), Failed.INVALID_OPCODE);
    failIf(command.hasScatterGatherLists(), Failed.INVALID_FIELD);
    if (command.isFused()) {
      throw Failed.once(Failed.INVALID_FIELD);
    }
    switch (opcode) {
      case DELETE_SUBMISSION -> queues.deleteSubmission(command);
      case CREATE_SUBMISSION -> queues.createSubmission(command, pageBytes);
      case DELETE_COMPLETION -> queues.deleteCompletion(command);
      case CREATE_COMPLETION -> queues.createCompletion(command, pageBytes, hasMessages);
      case IDENTIFY -> data.give(command, identity.of(command));
      case GET_LOG_PAGE -> giveLog(command, data);
      case ABORT -> {
        failIf(queues.submission(command.low(10)).isEmpty(), Failed.INVALID_FIELD);
        return OptionalInt.of(NOT_ABORTED);
      }
      case SET_FEATURES -> {
        return OptionalInt.of(features.set(command, queues.areUsed()));
      }
      case GET_FEATURES -> {
        return OptionalInt.of(features.get(command));
      }
      default -> {
        return requestEvent();
      }
    }
    return OptionalInt.of(0);
  }

  private static boolean isKnown(int opcode) {
    return switch (opcode) {
      case DELETE_SUBMISSION,
          CREATE_SUBMISSION,
          GET_LOG_PAGE,
          DELETE_COMPLETION,
          CREATE_COMPLETION,
          IDENTIFY,
          ABORT,
          SET_FEATURES,
          GET_FEATURES,
          REQUEST_EVENT ->
          true;
      default -> false;
    };
  }

  /** Nothing ever happens to this controller. */
  private OptionalInt requestEvent() {
    if (eventRequests == EVENT_REQUESTS) {
      throw Failed.once(Failed.EVENT_LIMIT_EXCEEDED);
    }
    eventRequests++;
    return OptionalInt.empty();
  }

  /** hw/nvme/ctrl.c:nvme_get_log: errors, health and firmware. */
  private static void giveLog(Command command, CommandData data) {
    long words = ((long) command.low(11) << Short.SIZE | command.high(10)) + 1;
    long bytes = words * Integer.BYTES;
    long offset =
        Integer.toUnsignedLong(command.word(13)) << Integer.SIZE
            | Integer.toUnsignedLong(command.word(12));
    failIf((offset & 3) != 0 || bytes > Identity.MOST_BYTES, Failed.INVALID_FIELD);
    MemorySegment log = log(command);
    failIf(Long.compareUnsigned(offset, log.byteSize()) >= 0, Failed.INVALID_FIELD);
    data.give(command, log.asSlice(offset, Math.min(bytes, log.byteSize() - offset)));
  }

  private static MemorySegment log(Command command) {
    return switch (command.low(10) & 0xff) {
      case 0x01 -> MemorySegment.ofArray(new byte[64]);
      case 0x02 -> health(command.namespace());
      case 0x03 -> firmware();
      default -> throw Failed.with(Failed.INVALID_FIELD);
    };
  }

  private static MemorySegment health(int namespace) {
    failIf(namespace != Disk.ALL && namespace != Disk.NAMESPACE, Failed.INVALID_NAMESPACE);
    MemorySegment health = MemorySegment.ofArray(new byte[512]);
    health.set(Layouts.INT16, 1, (short) ROOM_TEMPERATURE);
    return health;
  }

  private static MemorySegment firmware() {
    MemorySegment firmware = MemorySegment.ofArray(new byte[512]);
    firmware.set(ValueLayout.JAVA_BYTE, 0, (byte) 1);
    Identity.text(firmware, 8, 8, "1.0");
    return firmware;
  }
}
