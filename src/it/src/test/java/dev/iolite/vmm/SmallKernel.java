package dev.iolite.vmm;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * A kernel image of a few instructions, entered in 64-bit mode with interrupts off and without an
 * interrupt table.
 */
public final class SmallKernel {
  /** Where the image wants to be loaded. */
  public static final long LOAD = TestImage.LOAD;

  /** What it needs from there on. */
  public static final int INIT_BYTES = TestImage.INIT_BYTES;

  private static final int CONSOLE = 0x3f8;
  private static final int ENTRY = 0x200;
  private static final int MAP_GPA_RANGE = 12;

  private final ByteArrayOutputStream code = new ByteArrayOutputStream();
  private final TestImage image = new TestImage();

  /** Changes 16 bits of the setup header. */
  public SmallKernel header(int offset, int value) {
    image.with16(offset, value);
    return this;
  }

  /** Appends instructions as bytes. */
  public SmallKernel put(int... bytes) {
    for (int one : bytes) {
      code.write(one);
    }
    return this;
  }

  private SmallKernel putInt(long value) {
    return put((int) value, (int) value >> 8, (int) value >> 16, (int) value >> 24);
  }

  /** {@code mov dx, port; mov al, value; out dx, al}. */
  public SmallKernel out8(int port, int value) {
    return put(0x66, 0xba, port, port >> 8, 0xb0, value, 0xee);
  }

  /** {@code mov dx, port; mov ax, value; out dx, ax}. */
  public SmallKernel out16(int port, int value) {
    return put(0x66, 0xba, port, port >> 8, 0x66, 0xb8, value, value >> 8, 0x66, 0xef);
  }

  /** Prints a text on the console. */
  public SmallKernel print(String text) {
    for (byte one : text.getBytes(StandardCharsets.US_ASCII)) {
      out8(CONSOLE, one);
    }
    return this;
  }

  /** Prints what is typed, until it is a letter. */
  public SmallKernel echoUntil(char last) {
    // mov dx, 0x3fd; in al, dx; test al, 1; jz -7; mov dx, 0x3f8; in al, dx; out dx, al;
    // cmp al, last; jne to the start
    return put(0x66, 0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xfb)
        .put(0x66, 0xba, 0xf8, 0x03, 0xec, 0xee, 0x3c, last, 0x75, 0xed);
  }

  /** Switches the machine off, by ACPI's S5. */
  public SmallKernel powerOff() {
    return out16(PowerPorts.PM_CONTROL, 1 << 13 | PowerPorts.SLEEP_TYPE_OFF << 10).spin();
  }

  /** Resets the machine. */
  public SmallKernel reset() {
    return out8(PowerPorts.RESET, PowerPorts.RESET_VALUE).spin();
  }

  /** Says that it panics, and resets the machine. */
  public SmallKernel panic() {
    return out8(PowerPorts.PANIC, 1).reset();
  }

  /** Raises an exception, for which there is no handler, nor for that: {@code ud2}. */
  public SmallKernel tripleFault() {
    return put(0x0f, 0x0b);
  }

  /** Does nothing for ever, with interrupts off: {@code cli; jmp} to itself. */
  public SmallKernel spin() {
    return put(0xfa, 0xeb, 0xfe);
  }

  /**
   * Writes a byte that switches nothing off to every port below 0x1100, and reads 32 bits of each;
   * above, there are only BARs.
   */
  public SmallKernel nonsenseToPorts() {
    // xor edx, edx; mov al, 0xa2; out dx, al; in eax, dx; inc dx; cmp dx, 0x1100; jne to the second
    return put(0x31, 0xd2, 0xb0, 0xa2, 0xee, 0xed, 0x66, 0xff, 0xc2)
        .put(0x66, 0x81, 0xfa, 0x00, 0x11, 0x75, 0xf2);
  }

  /** {@code mov dword [address], value}; the address is below 2 GiB. */
  public SmallKernel store(long address, int value) {
    return put(0xc7, 0x04, 0x25).putInt(address).putInt(value);
  }

  /** Prints a letter if 32 bits of memory have a value, else a question mark. */
  public SmallKernel printIf(long address, int value, char letter) {
    // cmp dword [address], value; mov al, letter; je over the next; mov al, '?'; mov dx; out dx, al
    return put(0x81, 0x3c, 0x25)
        .putInt(address)
        .putInt(value)
        .put(0xb0, letter, 0x74, 0x02, 0xb0, '?', 0x66, 0xba, 0xf8, 0x03, 0xee);
  }

  /** Makes a page private or shared, by {@code vmmcall}. */
  public SmallKernel convert(long address, boolean isPrivate) {
    return put(0xb8)
        .putInt(MAP_GPA_RANGE)
        .put(0xbb)
        .putInt(address)
        .put(0xb9)
        .putInt(1)
        .put(0xba)
        .putInt(isPrivate ? 1 << 4 : 0)
        .put(0x0f, 0x01, 0xd9);
  }

  /** The image. */
  public byte[] bytes() {
    byte[] bytes = Arrays.copyOf(image.bytes(), TestImage.SETUP_BYTES + ENTRY + code.size());
    System.arraycopy(code.toByteArray(), 0, bytes, TestImage.SETUP_BYTES + ENTRY, code.size());
    return bytes;
  }

  /** Writes the image to a file. */
  public Path writeTo(Path file) throws IOException {
    return Files.write(file, bytes());
  }
}
