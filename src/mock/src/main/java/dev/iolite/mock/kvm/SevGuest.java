package dev.iolite.mock.kvm;

import java.util.Optional;

/** What the secure processor knows about a guest with SEV or SEV-ES. */
final class SevGuest {
  /** The states of a guest, with the numbers that GUEST_STATUS returns. */
  enum State {
    LUPDATE(1),
    LSECRET(2),
    RUNNING(3),
    SUPDATE(4),
    RUPDATE(5),
    SENT(6);

    final int number;

    State(int number) {
      this.number = number;
    }
  }

  private static final int NO_DEBUG = 1;
  private static final int NO_KEY_SHARING = 1 << 1;
  private static final int NO_SEND = 1 << 3;

  final int policy;
  final SevKey key;
  State state;

  /** Of everything that was added in the launch. */
  byte[] digest = {};

  /** The keys for its way to or from another machine. */
  Optional<SevTransport> transport = Optional.empty();

  SevGuest(int policy, SevKey key, State state) {
    this.policy = policy;
    this.key = key;
    this.state = state;
  }

  boolean forbidsDebug() {
    return (policy & NO_DEBUG) != 0;
  }

  boolean forbidsSharingWith(int other) {
    return (policy & NO_KEY_SHARING) != 0 || policy != other;
  }

  boolean forbidsSend() {
    return (policy & NO_SEND) != 0;
  }

  void measure(byte[] content) {
    digest = SevTransport.digest(digest, content);
  }
}
