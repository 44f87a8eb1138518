package dev.iolite.vmm;

import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.Consumer;

/**
 * A 16550A serial port, whose line is instant: what the guest sends is written to a stream, and
 * what is typed waits in a queue. Registers as in the PC16550D data sheet.
 */
final class Serial implements PortDevice {
  /** The first port of COM1. */
  static final int PORT = 0x3f8;

  /** How many ports there are. */
  static final int PORTS = 8;

  /** The interrupt of COM1. */
  static final int LINE = 4;

  private static final int DATA = 0;
  private static final int INTERRUPT_ENABLE = 1;
  private static final int INTERRUPT_ID = 2;
  private static final int LINE_CONTROL = 3;
  private static final int MODEM_CONTROL = 4;
  private static final int LINE_STATUS = 5;
  private static final int MODEM_STATUS = 6;
  private static final int SCRATCH = 7;

  private static final int ENABLE_RECEIVED = 1;
  private static final int ENABLE_EMPTY = 2;
  private static final int ENABLE_BITS = 0xf;
  private static final int ID_NONE = 1;
  private static final int ID_EMPTY = 2;
  private static final int ID_RECEIVED = 4;
  private static final int ID_FIFOS = 0xc0;
  private static final int FIFO_ENABLE = 1;
  private static final int FIFO_CLEAR_RECEIVED = 2;
  private static final int DIVISOR_ACCESS = 0x80;
  private static final int LOOPBACK = 0x10;
  private static final int DATA_READY = 1;
  private static final int TRANSMITTER_EMPTY = 0x60;
  private static final int CONNECTED = 0xb0;

  /** What comes while the guest does not read; more is lost, as on a real line. */
  private static final int QUEUE = 4096;

  private final OutputStream out;
  private final Consumer<Boolean> interrupt;
  private final Queue<Integer> received = new ArrayDeque<>();
  private int divisor = 1;
  private int enabled;
  private boolean hasFifos;
  private int lineControl;
  private int modemControl;
  private int scratch;
  private boolean emptyPending;
  private boolean raised;
  private boolean broken;

  /**
   * Connects a port.
   *
   * @param out where the guest's output goes
   * @param interrupt raises its interrupt line, or lowers it
   */
  Serial(OutputStream out, Consumer<Boolean> interrupt) {
    this.out = out;
    this.interrupt = interrupt;
  }

  /** Lets the guest receive bytes. */
  synchronized void type(byte[] bytes, int count) {
    for (int i = 0; i < count; i++) {
      receive(Byte.toUnsignedInt(bytes[i]));
    }
    update();
  }

  private void receive(int value) {
    if (received.size() < QUEUE) {
      received.add(value);
    }
  }

  @Override
  public synchronized int read(int port, int bytes) {
    int value =
        switch (port - PORT) {
          case DATA -> hasDivisorAccess() ? divisor & 0xff : next();
          case INTERRUPT_ENABLE -> hasDivisorAccess() ? divisor >> Byte.SIZE : enabled;
          case INTERRUPT_ID -> identify();
          case LINE_CONTROL -> lineControl;
          case MODEM_CONTROL -> modemControl;
          case LINE_STATUS -> TRANSMITTER_EMPTY | (received.isEmpty() ? 0 : DATA_READY);
          case MODEM_STATUS -> modemStatus();
          default -> scratch;
        };
    update();
    return value;
  }

  private boolean hasDivisorAccess() {
    return (lineControl & DIVISOR_ACCESS) != 0;
  }

  private int next() {
    return received.isEmpty() ? 0 : received.remove();
  }

  private int identify() {
    int id = cause();
    if (id == ID_EMPTY) {
      emptyPending = false;
    }
    return id | (hasFifos ? ID_FIFOS : 0);
  }

  /** The interrupt with the highest priority. */
  private int cause() {
    if ((enabled & ENABLE_RECEIVED) != 0 && !received.isEmpty()) {
      return ID_RECEIVED;
    }
    return (enabled & ENABLE_EMPTY) != 0 && emptyPending ? ID_EMPTY : ID_NONE;
  }

  /** Looped back, the outputs DTR, RTS, OUT1 and OUT2 are the inputs DSR, CTS, RI and DCD. */
  private int modemStatus() {
    if ((modemControl & LOOPBACK) == 0) {
      return CONNECTED;
    }
    return (modemControl & 1) << 5 | (modemControl & 2) << 3 | (modemControl & 0xc) << 4;
  }

  @Override
  public synchronized void write(int port, int bytes, int value) {
    int low = value & 0xff;
    switch (port - PORT) {
      case DATA -> {
        if (hasDivisorAccess()) {
          divisor = (divisor & 0xff00) | low;
        } else {
          send(low);
        }
      }
      case INTERRUPT_ENABLE -> {
        if (hasDivisorAccess()) {
          divisor = (divisor & 0xff) | low << Byte.SIZE;
        } else {
          emptyPending |= (~enabled & low & ENABLE_EMPTY) != 0;
          enabled = low & ENABLE_BITS;
        }
      }
      case INTERRUPT_ID -> {
        hasFifos = (low & FIFO_ENABLE) != 0;
        if ((low & FIFO_CLEAR_RECEIVED) != 0) {
          received.clear();
        }
      }
      case LINE_CONTROL -> lineControl = low;
      case MODEM_CONTROL -> modemControl = low;
      case SCRATCH -> scratch = low;
      default -> {
        // The status registers can't be written.
      }
    }
    update();
  }

  private void send(int value) {
    emptyPending = true;
    if ((modemControl & LOOPBACK) != 0) {
      receive(value);
      return;
    }
    if (broken) {
      return;
    }
    try {
      out.write(value);
      out.flush();
    } catch (IOException _) {
      // Nobody reads the console any longer, but the guest runs on.
      broken = true;
    }
  }

  private void update() {
    boolean isPending = cause() != ID_NONE;
    if (isPending != raised) {
      raised = isPending;
      interrupt.accept(isPending);
    }
  }
}
