package dev.iolite.mock.pci;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The ids that were added to a driver through {@code new_id}. */
final class DynamicIds {
  /** What sscanf accepts as two numbers; the other numbers (subsystem, class) are not modelled. */
  private static final Pattern FORM =
      Pattern.compile("\\s*(?:0[xX])?(\\p{XDigit}{1,8})\\s+(?:0[xX])?(\\p{XDigit}{1,8}).*");

  private final List<Id> ids = new ArrayList<>();

  /** A device's ids. */
  record Id(int vendor, int device) {}

  static Id parse(String text) {
    Matcher matcher = FORM.matcher(text);
    refuseIf(!matcher.matches(), Errno.EINVAL);
    return new Id(
        Integer.parseUnsignedInt(matcher.group(1), 16),
        Integer.parseUnsignedInt(matcher.group(2), 16));
  }

  boolean contain(int vendor, int device) {
    return ids.contains(new Id(vendor, device));
  }

  void add(Id id) {
    refuseIf(ids.contains(id), Errno.EEXIST);
    ids.add(id);
  }

  void remove(Id id) {
    if (!ids.remove(id)) {
      throw refused(Errno.ENODEV);
    }
  }
}
