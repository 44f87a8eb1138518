package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.Platform;
import dev.iolite.pci.Pci;
import dev.iolite.pci.Tsm;
import dev.iolite.tsm.Profile;

/** What takes a device's mappings away from those who have them. */
enum Revocation {
  RESET,
  DECODE_OFF,
  MASTER_OFF,
  BAR_MOVED,
  FUNCTION_LEVEL_RESET,
  LOW_POWER,
  SUSPENDED,
  HOT_RESET,
  SIBLINGS_HOT_RESET,
  LINK_LOST,
  DISCONNECTED;

  private static final int COMMAND = 4;
  private static final int DECODE = 2;
  private static final int MASTER = 4;
  private static final int BAR4 = 0x20;
  private static final int MOVE = 0x10_0000;
  private static final int CAPABILITIES = 0x34;
  private static final int POWER = 1;
  private static final int EXPRESS = 0x10;
  private static final int POWER_CONTROL = 4;
  private static final int DEVICE_CONTROL = 8;
  private static final int FLR = 1 << 15;
  private static final int D3_HOT = 3;

  /** Whether the assignment can see it, since it goes through it. */
  boolean isSeen() {
    return this != LINK_LOST && this != DISCONNECTED && this != SIBLINGS_HOT_RESET;
  }

  /** A host on which it can happen. */
  Life life(Platform platform, Profile profile) {
    return this == HOT_RESET || this == SIBLINGS_HOT_RESET
        ? Life.ofSet(platform, profile, true)
        : new Life(platform, profile);
  }

  /** Happens. */
  void happen(Life life, TdiAssignment at) {
    switch (this) {
      case RESET -> at.reset();
      case DECODE_OFF -> at.writeConfig(COMMAND, 2, at.readConfig(COMMAND, 2) & ~DECODE);
      case MASTER_OFF -> at.writeConfig(COMMAND, 2, at.readConfig(COMMAND, 2) & ~MASTER);
      case BAR_MOVED -> at.writeConfig(BAR4, 4, at.readConfig(BAR4, 4) + MOVE);
      case FUNCTION_LEVEL_RESET -> {
        int control = capability(at, EXPRESS) + DEVICE_CONTROL;
        at.writeConfig(control, 2, at.readConfig(control, 2) | FLR);
      }
      case LOW_POWER -> at.writeConfig(capability(at, POWER) + POWER_CONTROL, 2, D3_HOT);
      case SUSPENDED -> assertThat(at.enterLowPower()).isTrue();
      case HOT_RESET -> assertThat(at.hotReset()).isTrue();
      case SIBLINGS_HOT_RESET -> {
        try (Sibling sibling = Sibling.of(life, at)) {
          sibling.device().hotReset();
        }
      }
      case LINK_LOST -> life.kernel.tsm().fail(life.address.toString());
      case DISCONNECTED ->
          new Tsm(life.kernel).disconnect(new Pci(life.kernel).device(life.address), "tsm0");
    }
  }

  /** The guest makes its device reachable again, where it is not. */
  void mend(Life life, TdiAssignment at) {
    switch (this) {
      case DECODE_OFF, MASTER_OFF ->
          at.writeConfig(COMMAND, 2, at.readConfig(COMMAND, 2) | DECODE | MASTER);
      case LOW_POWER -> at.writeConfig(capability(at, POWER) + POWER_CONTROL, 2, 0);
      case SUSPENDED -> at.leaveLowPower();
      case DISCONNECTED ->
          new Tsm(life.kernel).connect(new Pci(life.kernel).device(life.address), "tsm0");
      case RESET, BAR_MOVED, FUNCTION_LEVEL_RESET, HOT_RESET, SIBLINGS_HOT_RESET, LINK_LOST -> {}
    }
  }

  private static int capability(TdiAssignment at, int id) {
    int offset = at.readConfig(CAPABILITIES, 1);
    while (at.readConfig(offset, 1) != id) {
      offset = at.readConfig(offset + 1, 1);
    }
    return offset;
  }
}
