package dev.iolite.vmm;

import dev.iolite.kernel.PreconditionException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A Linux kernel image for x86: a setup part with a header, and the kernel. The fields are those of
 * Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header".
 */
final class BzImage {
  /** The header begins here in the image, and in struct boot_params. */
  static final int HEADER = 0x1f1;

  private static final int SETUP_SECTORS = 0x1f1;
  private static final int BOOT_FLAG = 0x1fe;
  private static final int JUMP_LENGTH = 0x201;
  private static final int MAGIC = 0x202;
  private static final int VERSION = 0x206;
  private static final int INITRD_MAX = 0x22c;
  private static final int XLOADFLAGS = 0x236;
  private static final int COMMAND_LINE_SIZE = 0x238;
  private static final int PREFERRED_ADDRESS = 0x258;
  private static final int INIT_SIZE = 0x260;

  private static final int BOOT_FLAG_VALUE = 0xaa55;
  private static final int HDRS = 0x5372_6448;
  private static final int SECTOR = 512;
  private static final int DEFAULT_SECTORS = 4;

  /** The first version with XLF_KERNEL_64. */
  private static final int OLDEST = 0x20c;

  private static final int XLF_KERNEL_64 = 1;
  private static final int ENTRY_64 = 0x200;

  private final String name;
  private final ByteBuffer image;

  /**
   * Checks an image.
   *
   * @param name what it is called in messages
   * @throws PreconditionException if it is none, or has no 64-bit entry
   */
  BzImage(String name, ByteBuffer bytes) {
    this.name = name;
    image = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    if (bytes.capacity() < INIT_SIZE + Integer.BYTES
        || u16(BOOT_FLAG) != BOOT_FLAG_VALUE
        || image.getInt(MAGIC) != HDRS) {
      throw refused(
          "it has no setup header (0xaa55 at 0x1fe, HdrS at 0x202)",
          "it is a vmlinux, an image for another architecture, or compressed",
          "give arch/x86/boot/bzImage of a kernel's build, or /boot/vmlinuz");
    }
    if (u16(VERSION) < OLDEST || (u16(XLOADFLAGS) & XLF_KERNEL_64) == 0) {
      throw refused(
          "its boot protocol is %d.%02d, without the 64-bit entry"
              .formatted(u16(VERSION) >> 8, u16(VERSION) & 0xff),
          "it is a 32-bit kernel, or older than Linux 3.8",
          "give a kernel that was built with CONFIG_64BIT");
    }
    if (setupBytes() >= bytes.capacity()) {
      throw refused(
          "it ends within its setup part", "it was cut off", "copy it again from where it came");
    }
  }

  private PreconditionException refused(String observed, String cause, String next) {
    return new PreconditionException("boot " + name, observed, cause, next);
  }

  private int u16(int offset) {
    return Short.toUnsignedInt(image.getShort(offset));
  }

  private int setupBytes() {
    int sectors = Byte.toUnsignedInt(image.get(SETUP_SECTORS));
    return ((sectors == 0 ? DEFAULT_SECTORS : sectors) + 1) * SECTOR;
  }

  /** Its name in messages. */
  String name() {
    return name;
  }

  /** The setup header, as far as it says that it reaches. */
  byte[] header() {
    int end = Math.min(MAGIC + Byte.toUnsignedInt(image.get(JUMP_LENGTH)), setupBytes());
    byte[] header = new byte[end - HEADER];
    image.get(HEADER, header);
    return header;
  }

  /** Where it wants to be loaded. */
  long loadAddress() {
    return image.getLong(PREFERRED_ADDRESS);
  }

  /** The 64-bit entry, once it is loaded. */
  long entry() {
    return loadAddress() + ENTRY_64;
  }

  /** How much memory it needs from its load address on, until it has set up its own. */
  long initBytes() {
    return Math.max(
        Integer.toUnsignedLong(image.getInt(INIT_SIZE)), image.capacity() - setupBytes());
  }

  /** The longest command line, without the byte that ends it. */
  int longestCommandLine() {
    return image.getInt(COMMAND_LINE_SIZE);
  }

  /** The last address that an initrd may have. */
  long lastInitrdAddress() {
    return Integer.toUnsignedLong(image.getInt(INITRD_MAX));
  }

  /**
   * Puts the kernel to its place.
   *
   * @throws PreconditionException if the guest's memory is too small
   */
  void load(GuestMemory memory) {
    long start = loadAddress();
    if (start < MemoryMap.HIGH_MEMORY
        || start > memory.lowEnd()
        || initBytes() > memory.lowEnd() - start) {
      throw refused(
          "it needs the memory from 0x%x to 0x%x, and the guest's ends at 0x%x"
              .formatted(start, start + initBytes(), memory.lowEnd()),
          "the guest has too little memory, or the header is damaged",
          "give the guest more memory");
    }
    int kernelBytes = image.capacity() - setupBytes();
    memory.at(start, kernelBytes).asByteBuffer().put(image.slice(setupBytes(), kernelBytes));
  }
}
