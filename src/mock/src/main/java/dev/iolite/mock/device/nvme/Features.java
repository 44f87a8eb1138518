package dev.iolite.mock.device.nvme;

import static dev.iolite.mock.device.nvme.Failed.failIf;

/** Get Features and Set Features. */
final class Features {
  /** Kelvins at which the controller warns, and at which it is in danger. */
  static final int WARM = 343;

  static final int HOT = 373;

  private static final int ARBITRATION = 0x01;
  private static final int POWER = 0x02;
  private static final int TEMPERATURE = 0x04;
  private static final int ERROR_RECOVERY = 0x05;
  private static final int WRITE_CACHE = 0x06;
  private static final int QUEUES = 0x07;
  private static final int COALESCING = 0x08;
  private static final int VECTOR = 0x09;
  private static final int ATOMICITY = 0x0a;
  private static final int EVENTS = 0x0b;
  private static final int COMMAND_SETS = 0x19;

  /** Commands of a queue are taken without a limit. */
  private static final int NO_LIMIT = 7;

  private static final int CURRENT = 0;
  private static final int CAPABILITIES = 3;
  private static final int OF_A_NAMESPACE = 2;
  private static final int CHANGEABLE = 4;
  private static final int OTHER_SENSORS = 0xf << 16;
  private static final int UNDER = 1 << 20;
  private static final int THRESHOLDS = 3 << 20;
  private static final int NOT_COALESCED = 1 << 16;

  private final int queuePairs;
  private int warm = WARM;
  private int cold;
  private int errorRecovery;
  private int writeCache = 1;
  private int events;

  Features(int queuePairs) {
    this.queuePairs = queuePairs;
  }

  private static int capabilities(int feature) {
    return switch (feature) {
      case TEMPERATURE, WRITE_CACHE, QUEUES, EVENTS, COMMAND_SETS -> CHANGEABLE;
      case ERROR_RECOVERY -> CHANGEABLE | OF_A_NAMESPACE;
      case ARBITRATION, POWER, COALESCING, VECTOR, ATOMICITY -> 0;
      default -> throw Failed.with(Failed.INVALID_FIELD);
    };
  }

  /** hw/nvme/ctrl.c:nvme_get_feature. */
  int get(Command command) {
    int feature = command.low(10) & 0xff;
    int able = capabilities(feature);
    if ((able & OF_A_NAMESPACE) != 0) {
      int namespace = command.namespace();
      failIf(!Disk.isValid(namespace) || namespace == Disk.ALL, Failed.INVALID_NAMESPACE);
      failIf(namespace != Disk.NAMESPACE, Failed.INVALID_FIELD);
    }
    int selected = (command.low(10) >> 8) & 7;
    if (selected == CAPABILITIES) {
      return able;
    }
    return selected == CURRENT ? current(feature, command) : initial(feature, command);
  }

  private int current(int feature, Command command) {
    return switch (feature) {
      case TEMPERATURE -> threshold(command.word(11), warm, cold);
      case ERROR_RECOVERY -> errorRecovery;
      case WRITE_CACHE -> writeCache;
      case EVENTS -> events;
      default -> initial(feature, command);
    };
  }

  private int initial(int feature, Command command) {
    return switch (feature) {
      case ARBITRATION -> NO_LIMIT;
      case TEMPERATURE -> threshold(command.word(11), WARM, 0);
      case QUEUES -> queues();
      case VECTOR -> {
        int vector = command.low(11);
        failIf(vector > queuePairs, Failed.INVALID_FIELD);
        yield vector == 0 ? NOT_COALESCED : vector;
      }
      default -> 0;
    };
  }

  private static int threshold(int word, int over, int under) {
    if ((word & OTHER_SENSORS) != 0) {
      return 0;
    }
    failIf((word & THRESHOLDS) > UNDER, Failed.INVALID_FIELD);
    return (word & THRESHOLDS) == UNDER ? under : over;
  }

  private int queues() {
    return (queuePairs - 1) << Short.SIZE | (queuePairs - 1);
  }

  /**
   * hw/nvme/ctrl.c:nvme_set_feature.
   *
   * @param hasQueues whether queues for I/O were made since the controller was enabled
   */
  int set(Command command, boolean hasQueues) {
    int feature = command.low(10) & 0xff;
    failIf(command.word(10) < 0, Failed.FEATURE_NOT_SAVEABLE);
    int able = capabilities(feature);
    requireNamespace(command.namespace(), (able & OF_A_NAMESPACE) != 0);
    failIf((able & CHANGEABLE) == 0, Failed.FEATURE_NOT_CHANGEABLE);
    int value = command.word(11);
    switch (feature) {
      case TEMPERATURE -> setThreshold(value);
      case ERROR_RECOVERY -> errorRecovery = value;
      case WRITE_CACHE -> writeCache = value & 1;
      case EVENTS -> events = value;
      case QUEUES -> {
        failIf(hasQueues, Failed.SEQUENCE_ERROR);
        failIf(command.low(11) == 0xffff || command.high(11) == 0xffff, Failed.INVALID_FIELD);
        return queues();
      }
      default -> failIf((value & 0x1ff) != 0, Failed.COMMAND_SETS_REJECTED);
    }
    return 0;
  }

  private static void requireNamespace(int namespace, boolean isOfOne) {
    if (namespace == Disk.ALL || (namespace == 0 && !isOfOne)) {
      return;
    }
    failIf(!Disk.isValid(namespace), Failed.INVALID_NAMESPACE);
    failIf(!isOfOne, Failed.FEATURE_NOT_OF_A_NAMESPACE);
    failIf(namespace != Disk.NAMESPACE, Failed.INVALID_FIELD);
  }

  private void setThreshold(int word) {
    if ((word & OTHER_SENSORS) != 0) {
      return;
    }
    failIf((word & THRESHOLDS) > UNDER, Failed.INVALID_FIELD);
    if ((word & THRESHOLDS) == UNDER) {
      cold = word & 0xffff;
    } else {
      warm = word & 0xffff;
    }
  }
}
