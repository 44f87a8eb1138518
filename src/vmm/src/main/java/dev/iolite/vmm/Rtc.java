package dev.iolite.vmm;

import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;

/**
 * The clock of a PC, an MC146818A: the host's time in UTC, which a guest reads when it boots, and
 * can't set. It has no alarms and remembers nothing. Registers as in the MC146818A data sheet, and
 * where IBM put the century.
 */
final class Rtc implements PortDevice {
  /** Selects a register. */
  static final int INDEX = 0x70;

  /** How many ports there are: this one, and the one of the register's value. */
  static final int PORTS = 2;

  /** The register of the century, which the FADT names. */
  static final int CENTURY = 0x32;

  private static final int SECONDS = 0x0;
  private static final int MINUTES = 0x2;
  private static final int HOURS = 0x4;
  private static final int WEEKDAY = 0x6;
  private static final int DAY = 0x7;
  private static final int MONTH = 0x8;
  private static final int YEAR = 0x9;
  private static final int A = 0xa;
  private static final int B = 0xb;
  private static final int D = 0xd;

  /** The other bit of the index is no part of it: it masks non-maskable interrupts. */
  private static final int REGISTERS = 0x7f;

  private static final int RUNNING = 0x26;
  private static final int UPDATE_IN_PROGRESS = 0x80;
  private static final int HOURS_TO_24 = 2;
  private static final int VALID = 0x80;

  /**
   * How long before the end of a second the update begins: who is told of none has this long to
   * read all registers.
   */
  private static final int UPDATE_NANOS = 244_000;

  private static final int SECOND_NANOS = 1_000_000_000;
  private static final int DECIMAL = 10;
  private static final int YEARS = 100;
  private static final int DAYS = 7;

  private final InstantSource clock;
  private int index;

  /** A clock that shows this one's time. */
  Rtc(InstantSource clock) {
    this.clock = clock;
  }

  @Override
  public synchronized int read(int port, int bytes) {
    if (port == INDEX) {
      return index;
    }
    ZonedDateTime now = clock.instant().atZone(ZoneOffset.UTC);
    return switch (index) {
      case SECONDS -> decimal(now.getSecond());
      case MINUTES -> decimal(now.getMinute());
      case HOURS -> decimal(now.getHour());
      case WEEKDAY -> decimal(now.getDayOfWeek().getValue() % DAYS + 1);
      case DAY -> decimal(now.getDayOfMonth());
      case MONTH -> decimal(now.getMonthValue());
      case YEAR -> decimal(now.getYear() % YEARS);
      case CENTURY -> decimal(now.getYear() / YEARS);
      case A -> RUNNING | (isUpdating(now) ? UPDATE_IN_PROGRESS : 0);
      case B -> HOURS_TO_24;
      case D -> VALID;
      default -> 0;
    };
  }

  private static boolean isUpdating(ZonedDateTime now) {
    return now.getNano() >= SECOND_NANOS - UPDATE_NANOS;
  }

  private static int decimal(int value) {
    return (value / DECIMAL) << 4 | value % DECIMAL;
  }

  @Override
  public synchronized void write(int port, int bytes, int value) {
    if (port == INDEX) {
      index = value & REGISTERS;
    }
  }
}
