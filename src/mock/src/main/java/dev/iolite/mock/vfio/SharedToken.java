package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The token of a physical function (struct vfio_pci_vf_token), which its user must share with the
 * users of its virtual functions.
 */
final class SharedToken {
  private static final Pattern TOKEN =
      Pattern.compile("vf_token=(\\p{XDigit}{8}(?:-\\p{XDigit}{4}){3}-\\p{XDigit}{12}) *");

  private UUID value;
  private int users;

  /** vfio_pci_vf_init: makes a token that nobody knows. */
  SharedToken(UUID unknown) {
    value = unknown;
  }

  /**
   * The token in what follows a device's name, such as {@code " vf_token=UUID"}
   * (vfio_pci_core.c:vfio_pci_core_match).
   *
   * @param options empty, or begins with a space
   * @throws dev.iolite.mock.core.Refused EINVAL
   */
  static Optional<UUID> in(String options) {
    String rest = options.replaceFirst("^ +", "");
    if (rest.isEmpty()) {
      return Optional.empty();
    }
    Matcher token = TOKEN.matcher(rest);
    refuseIf(!token.matches(), Errno.EINVAL);
    return Optional.of(UUID.fromString(token.group(1)));
  }

  /** Whether this token allows the use of a virtual function. */
  boolean matches(Optional<UUID> given) {
    return given.filter(value::equals).isPresent();
  }

  /**
   * Whether this token allows the use of the physical function; while no virtual function is in
   * use, it becomes the token.
   */
  boolean takes(Optional<UUID> given) {
    if (users > 0) {
      return matches(given);
    }
    given.ifPresent(token -> value = token);
    return true;
  }

  /** vfio_pci_vf_token_user_add. */
  void addUser(int change) {
    users += change;
  }
}
