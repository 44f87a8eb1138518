package dev.iolite.tdi.journal;

import dev.iolite.pci.PciAddress;
import dev.iolite.tdi.journal.JournalRecords.Unreadable;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/** A journal's file, made of any bytes. */
public final class AnyJournal {
  private static final Pattern SUM_AND_REST = Pattern.compile("(?md)^[^ \n]* ([^\n]*)$");
  private static final PciAddress DEVICE = PciAddress.parse("0000:00:07.0");

  private AnyJournal() {}

  /**
   * Reads it, first as it is and then with the checksum of each record set right, since hardly any
   * input gets past that.
   */
  public static void read(byte[] file) {
    parse(file);
    parse(sealed(new String(file, StandardCharsets.ISO_8859_1)));
  }

  private static void parse(byte[] file) {
    try {
      JournalRecords.parse(file, DEVICE);
    } catch (Unreadable _) {
      // Refused.
    }
  }

  /** With the checksum of each record. */
  static byte[] sealed(String text) {
    return SUM_AND_REST
        .matcher(text)
        .replaceAll(line ->
            Matcher.quoteReplacement("%08x %s".formatted(checksum(line.group(1)), line.group(1))))
        .getBytes(StandardCharsets.ISO_8859_1);
  }

  private static long checksum(String checked) {
    CRC32C checksum = new CRC32C();
    checksum.update(checked.getBytes(StandardCharsets.ISO_8859_1));
    return checksum.getValue();
  }
}
