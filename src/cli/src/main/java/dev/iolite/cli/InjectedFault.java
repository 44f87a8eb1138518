package dev.iolite.cli;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.uapi.catalog.Ioctls;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.TypeConversionException;

/** A call that is to fail, as {@code --fail} names it: {@code CALL:N=ERRNO[:after]}. */
record InjectedFault(String text, Calls calls, int nth, Errno errno, Faults.When when) {
  private static final Pattern FORM = Pattern.compile("(\\w+):([1-9]\\d{0,8})=(\\w+)(:after)?");

  /** The system calls of a program that the model answers; ioctls have their own names. */
  private static final List<String> SYSTEM_CALLS =
      List.of(
          "open",
          "read",
          "write",
          "pread",
          "pwrite",
          "lseek",
          "ftruncate",
          "fallocate",
          "fcntl",
          "readlink",
          "getdents64");

  /**
   * Parses a fault.
   *
   * @throws TypeConversionException if the text is not a fault, or there is no such call or errno
   */
  static InjectedFault parse(String text) {
    Matcher parts = FORM.matcher(text);
    if (!parts.matches()) {
      throw new TypeConversionException(
          "'"
              + text
              + "' is not CALL:N=ERRNO or CALL:N=ERRNO:after, such as IOMMU_IOAS_MAP:2=ENOMEM");
    }
    Errno errno =
        Arrays.stream(Errno.values())
            .filter(each -> each != Errno.UNKNOWN && each.name().equals(parts.group(3)))
            .findFirst()
            .orElseThrow(
                () -> new TypeConversionException("there is no errno '" + parts.group(3) + "'"));
    return new InjectedFault(
        text,
        calls(parts.group(1)),
        Integer.parseInt(parts.group(2)),
        errno,
        parts.group(4) == null ? Faults.When.BEFORE : Faults.When.AFTER);
  }

  private static Calls calls(String name) {
    if (SYSTEM_CALLS.contains(name)) {
      return Calls.named(name);
    }
    return Calls.ofIoctl(name, Ioctls.ofHeaders())
        .orElseThrow(() ->
            new TypeConversionException(
                "there is no call '%s' that can fail; there are the ioctls, such as VFIO_DEVICE_GET_INFO, and %s"
                    .formatted(name, String.join(", ", SYSTEM_CALLS))));
  }
}
