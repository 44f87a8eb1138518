package dev.iolite.vmm;

import java.util.function.Consumer;

/**
 * The ways in which a guest ends: ACPI's sleep state S5, the reset register that the FADT names
 * (also known as a PIIX's reset control), the keyboard controller's reset, and a panic notifier
 * (QEMU's docs/specs/pvpanic.rst).
 */
final class PowerPorts implements PortDevice {
  /** PM1a's event registers: status, enable. */
  static final int PM_EVENT = 0x600;

  /** PM1a's control register. */
  static final int PM_CONTROL = 0x604;

  /** The interrupt of ACPI's events, which are none. */
  static final int SCI = 9;

  /** The reset control register. */
  static final int RESET = 0xcf9;

  /** What is written to it. */
  static final int RESET_VALUE = 6;

  /** The panic notifier. */
  static final int PANIC = 0x505;

  /** The type of sleep that S5 is. */
  static final int SLEEP_TYPE_OFF = 5;

  private static final int PM_ENABLE = PM_EVENT + 2;
  private static final int KEYBOARD_STATUS = 0x64;
  private static final int KEYBOARD_RESET = 0xfe;
  private static final int PM_BYTES = 6;
  private static final int SCI_ENABLE = 1;
  private static final int SLEEP_ENABLE = 1 << 13;
  private static final int SLEEP_TYPE_SHIFT = 10;
  private static final int SLEEP_TYPE_MASK = 7;
  private static final int RESET_CPU = 4;
  private static final int PANICKED = 1;

  private final Consumer<Outcome> end;
  private volatile boolean panicked;
  private volatile int eventEnable;

  PowerPorts(Consumer<Outcome> end) {
    this.end = end;
  }

  void addTo(PortBus ports) {
    ports.add(PM_EVENT, PM_BYTES, this);
    ports.add(RESET, 1, this);
    ports.add(KEYBOARD_STATUS, 1, this);
    ports.add(PANIC, 1, this);
  }

  /** What an end means: after a panic, a reset is no reboot. */
  Outcome meant(Outcome outcome) {
    return panicked ? Outcome.PANIC : outcome;
  }

  @Override
  public int read(int port, int bytes) {
    return switch (port) {
      case PM_CONTROL -> SCI_ENABLE;
      case PM_ENABLE -> eventEnable;
      case PANIC -> PANICKED;
      default -> 0;
    };
  }

  @Override
  public void write(int port, int bytes, int value) {
    switch (port) {
      case PM_CONTROL -> {
        boolean isOff = (value >> SLEEP_TYPE_SHIFT & SLEEP_TYPE_MASK) == SLEEP_TYPE_OFF;
        if ((value & SLEEP_ENABLE) != 0 && isOff) {
          end.accept(Outcome.POWER_OFF);
        }
      }
      case RESET -> {
        if ((value & RESET_CPU) != 0) {
          end.accept(Outcome.RESET);
        }
      }
      case KEYBOARD_STATUS -> {
        if ((value & 0xff) == KEYBOARD_RESET) {
          end.accept(Outcome.RESET);
        }
      }
      case PANIC -> panicked |= (value & PANICKED) != 0;
      case PM_ENABLE -> eventEnable = value;
      default -> {
        // There are no events to clear.
      }
    }
  }
}
