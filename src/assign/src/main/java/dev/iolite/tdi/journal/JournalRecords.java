package dev.iolite.tdi.journal;

import dev.iolite.ipc.MalformedMessageException;
import dev.iolite.ipc.Message;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.Tsm;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/**
 * The records of a journal, a line for each. A line has a CRC32C of the rest in hexadecimal, the
 * record's number, from 1, the number of records known to be on the disk when it was written, and
 * the record itself, in JSON as a {@link Message} has it.
 *
 * <p>When a process or the machine dies, records that were not known to be on the disk may be lost:
 * the file ends in the middle of one, or has zeros in place of some. Nothing else happens to a file
 * that only iolite writes. So anything else is damage, and makes it unreadable.
 */
final class JournalRecords {
  /** More than a journal ever has: {@link JournalFile#MOST_BYTES}, and the durable records. */
  static final int MOST_BYTES = 4 << 20;

  private static final Pattern LINE =
      Pattern.compile("([0-9a-f]{8}) ((\\d{1,9}) (\\d{1,9}) (\\{.*}))", Pattern.DOTALL);

  /** What is left of a truncated line. */
  private static final Pattern BEGINNING =
      Pattern.compile(
          "[0-9a-f]{0,7}|[0-9a-f]{8}( (\\d{1,9}( (\\d{1,9}( (\\{.*)?)?)?)?)?)?", Pattern.DOTALL);

  private static final int CHECKSUM = 1;
  private static final int CHECKED = 2;
  private static final int NUMBER = 3;
  private static final int DURABLE = 4;
  private static final int ENTRY = 5;

  private final List<Map<String, String>> entries = new ArrayList<>();
  private int last;

  /** How many records there are from the first on, without a gap. */
  private int whole;

  private JournalRecords() {}

  /** Says why a file is not a journal that iolite wrote. */
  static final class Unreadable extends Exception {
    private static final long serialVersionUID = 1L;

    Unreadable(String why) {
      super(why);
    }
  }

  /** A record's line. */
  static byte[] line(long number, long durable, Map<String, String> entry) {
    String json = new String(new Message(entry).line(), StandardCharsets.UTF_8).strip();
    String checked = "%d %d %s".formatted(number, durable, json);
    byte[] bytes = checked.getBytes(StandardCharsets.UTF_8);
    return "%08x %s\n".formatted(checksum(bytes), checked).getBytes(StandardCharsets.UTF_8);
  }

  private static long checksum(byte[] bytes) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes);
    return checksum.getValue();
  }

  /**
   * The records of a device's journal.
   *
   * @throws Unreadable if the file is damaged or is not a journal of that device
   */
  static List<Map<String, String>> parse(byte[] file, PciAddress device) throws Unreadable {
    String text = new String(file, StandardCharsets.ISO_8859_1);
    JournalRecords records = new JournalRecords();
    int at = 0;
    while (at < text.length()) {
      int end = text.indexOf('\n', at);
      boolean isCut = end < 0;
      int next = isCut ? text.length() : end + 1;
      records.take(text.substring(at, isCut ? next : end), isCut, at);
      at = next;
    }
    records.requireWhole(text);
    records.requireBegin(device);
    return records.entries;
  }

  private void take(String line, boolean isCut, int at) throws Unreadable {
    Matcher parts = LINE.matcher(line);
    if (!isCut && parts.matches() && isAsWritten(parts)) {
      add(parts, at);
    } else if (line.indexOf('\0') < 0 && !(isCut && isBeginning(line))) {
      throw new Unreadable("what it has from byte %d on is no record".formatted(at));
    }
  }

  private static boolean isBeginning(String line) {
    return BEGINNING.matcher(line).matches();
  }

  private static boolean isAsWritten(Matcher parts) {
    byte[] bytes = parts.group(CHECKED).getBytes(StandardCharsets.ISO_8859_1);
    return parts.group(CHECKSUM).equals("%08x".formatted(checksum(bytes)));
  }

  private void add(Matcher parts, int at) throws Unreadable {
    int number = Integer.parseInt(parts.group(NUMBER));
    if (number <= last) {
      throw new Unreadable(
          "the record at byte %d has the number %d, after %d".formatted(at, number, last));
    }
    if (Integer.parseInt(parts.group(DURABLE)) > whole) {
      throw new Unreadable("record %d is missing, which was on the disk".formatted(whole + 1));
    }
    whole = number == whole + 1 ? number : whole;
    last = number;
    entries.add(entry(parts.group(ENTRY), at));
  }

  private static Map<String, String> entry(String json, int at) throws Unreadable {
    Map<String, String> entry;
    try {
      entry = Message.parse(json.getBytes(StandardCharsets.ISO_8859_1)).members();
    } catch (MalformedMessageException _) {
      throw new Unreadable("the record at byte %d is no JSON of a journal".formatted(at));
    }
    requireNames(entry, at);
    return entry;
  }

  /** Checks the names, which become parts of paths in sysfs, or are written there. */
  private static void requireNames(Map<String, String> entry, int at) throws Unreadable {
    boolean fits =
        switch (entry.getOrDefault("event", "")) {
          case "driver" ->
              Pci.isDriverName(entry.getOrDefault("driver", "none"))
                  && Pci.isDriverName(entry.getOrDefault("override", "none"));
          case "connecting" -> Tsm.isName(entry.getOrDefault("tsm", ""));
          default -> true;
        };
    if (!fits) {
      throw new Unreadable(
          "the record at byte %d has a name that no driver and no TSM has".formatted(at));
    }
  }

  /** A file without any record is the beginning of a journal, or unreadable. */
  private void requireWhole(String text) throws Unreadable {
    if (entries.isEmpty() && !isBeginning(text.replaceFirst("\0+$", ""))) {
      throw new Unreadable("it has no record");
    }
  }

  private void requireBegin(PciAddress device) throws Unreadable {
    if (entries.isEmpty()) {
      return;
    }
    Map<String, String> first = entries.getFirst();
    if (!"begin".equals(first.get("event")) || !device.toString().equals(first.get("device"))) {
      throw new Unreadable("it is not of " + device);
    }
  }
}
