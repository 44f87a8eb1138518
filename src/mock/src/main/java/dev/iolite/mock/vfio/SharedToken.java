package dev.iolite.mock.vfio;

import java.util.Optional;
import java.util.UUID;

/**
 * The token of a physical function (struct vfio_pci_vf_token), which its user must share with the
 * users of its virtual functions.
 */
final class SharedToken {
  private UUID value;
  private int users;

  /** vfio_pci_vf_init: makes a token that nobody knows. */
  SharedToken(UUID unknown) {
    value = unknown;
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
