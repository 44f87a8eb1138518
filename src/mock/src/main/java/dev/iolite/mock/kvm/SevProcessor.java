package dev.iolite.mock.kvm;

import dev.iolite.mock.kvm.SevGuest.State;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * AMD's secure processor, as far as guests with SEV and SEV-ES go: AMD's SEV API (publication
 * 55766), chapter 6. It keeps each guest by its handle, and refuses a command that the guest's
 * state does not allow.
 */
final class SevProcessor {
  private static final int MEASUREMENT_BYTES = 48;
  private static final int NONCE_BYTES = 16;
  private static final int REPORT_BYTES = 208;

  /** The memory in a command begins and ends at a multiple of it. */
  private static final int BLOCK = 16;

  private static final byte[] MEASUREMENT_CONTEXT = {4};

  private final Map<Integer, SevGuest> guests = new HashMap<>();

  /** The guest that has each ASID. */
  private final Map<Integer, Integer> active = new HashMap<>();

  private int handles;

  /** The key of a guest's memory; empty if there is no such guest. */
  Optional<SevKey> key(int handle) {
    return Optional.ofNullable(guests.get(handle)).map(guest -> guest.key);
  }

  /**
   * LAUNCH_START.
   *
   * @param shared the handle of a guest whose key it is to have; 0 for a key of its own
   */
  SevReply launchStart(int shared, int policy) {
    return create(shared, policy, State.LUPDATE, Optional.empty());
  }

  private SevReply create(int shared, int policy, State state, Optional<SevTransport> transport) {
    SevGuest other = guests.get(shared);
    if (shared != 0 && other == null) {
      return SevReply.failed(SevReply.INVALID_GUEST);
    }
    if (other != null && other.forbidsSharingWith(policy)) {
      return SevReply.failed(SevReply.POLICY_FAILURE);
    }
    int handle = ++handles;
    SevGuest guest =
        new SevGuest(policy, other == null ? SevKey.ofGuest(handle) : other.key, state);
    guest.transport = transport;
    guests.put(handle, guest);
    return SevReply.number(handle);
  }

  /** ACTIVATE. */
  SevReply activate(int handle, int asid) {
    if (active.containsKey(asid)) {
      return SevReply.failed(SevReply.ASID_OWNED);
    }
    active.put(asid, handle);
    return SevReply.done();
  }

  /** DEACTIVATE and DECOMMISSION. */
  void decommission(int handle) {
    active.values().remove(handle);
    guests.remove(handle);
  }

  private SevReply in(int handle, State wanted, Function<SevGuest, SevReply> command) {
    return of(
        handle,
        guest ->
            guest.state == wanted
                ? command.apply(guest)
                : SevReply.failed(SevReply.INVALID_GUEST_STATE));
  }

  private SevReply of(int handle, Function<SevGuest, SevReply> command) {
    SevGuest guest = guests.get(handle);
    return guest == null ? SevReply.failed(SevReply.INVALID_GUEST) : command.apply(guest);
  }

  private SevReply move(int handle, State from, State to) {
    return in(
        handle,
        from,
        guest -> {
          guest.state = to;
          return SevReply.done();
        });
  }

  /** LAUNCH_UPDATE_DATA: encrypts memory that is at an address, and measures it. */
  SevReply launchUpdateData(int handle, long address, MemorySegment memory) {
    return in(
        handle,
        State.LUPDATE,
        guest -> {
          if (isUnaligned(address)) {
            return SevReply.failed(SevReply.INVALID_ADDRESS);
          }
          if (isUnaligned(memory.byteSize())) {
            return SevReply.failed(SevReply.INVALID_LEN);
          }
          guest.measure(memory.toArray(ValueLayout.JAVA_BYTE));
          guest.key.crypt(address, memory);
          return SevReply.done();
        });
  }

  private static boolean isUnaligned(long value) {
    return value % BLOCK != 0;
  }

  /** LAUNCH_UPDATE_VMSA: encrypts and measures a vCPU's registers. */
  SevReply launchUpdateVmsa(int handle, byte[] registers) {
    return in(
        handle,
        State.LUPDATE,
        guest -> {
          guest.measure(registers);
          return SevReply.done();
        });
  }

  /** LAUNCH_MEASURE: the measurement and the nonce that is part of it. */
  SevReply launchMeasure(int handle, int room) {
    return in(
        handle,
        State.LUPDATE,
        guest -> {
          if (Integer.compareUnsigned(room, MEASUREMENT_BYTES) < 0) {
            return SevReply.tooShort(MEASUREMENT_BYTES);
          }
          guest.state = State.LSECRET;
          byte[] nonce = SevTransport.stream(guest.digest, MEASUREMENT_CONTEXT, NONCE_BYTES);
          byte[] measured =
              SevTransport.digest(
                  MEASUREMENT_CONTEXT, SevTransport.policy(guest.policy), guest.digest, nonce);
          return SevReply.data(MEASUREMENT_BYTES, SevTransport.join(measured, nonce));
        });
  }

  /**
   * LAUNCH_SECRET. The model has no key of the guest's owner: it takes what the packet contains as
   * it is, and checks only lengths.
   */
  SevReply launchSecret(
      int handle, long address, MemorySegment memory, byte[] header, byte[] data) {
    return in(
        handle,
        State.LSECRET,
        guest -> {
          if (isUnaligned(address)) {
            return SevReply.failed(SevReply.INVALID_ADDRESS);
          }
          if (isMisfit(memory, header, data)) {
            return SevReply.failed(SevReply.INVALID_LEN);
          }
          memory.copyFrom(MemorySegment.ofArray(data));
          guest.key.crypt(address, memory);
          return SevReply.done();
        });
  }

  private static boolean isMisfit(MemorySegment memory, byte[] header, byte[] data) {
    return header.length != SevTransport.HEADER_BYTES
        || isUnaligned(memory.byteSize())
        || data.length != memory.byteSize();
  }

  /** LAUNCH_FINISH. */
  SevReply launchFinish(int handle) {
    return move(handle, State.LSECRET, State.RUNNING);
  }

  /** GUEST_STATUS: the state, and the policy as the four bytes of the data. */
  SevReply status(int handle) {
    return of(
        handle, guest -> SevReply.data(guest.state.number, SevTransport.policy(guest.policy)));
  }

  /** ATTESTATION_REPORT: the nonce, the digest of the launch, the policy; no signature. */
  SevReply attestationReport(int handle, byte[] nonce, int room) {
    return of(
        handle,
        guest -> {
          if (guest.state == State.LUPDATE) {
            return SevReply.failed(SevReply.INVALID_GUEST_STATE);
          }
          if (Integer.compareUnsigned(room, REPORT_BYTES) < 0) {
            return SevReply.tooShort(REPORT_BYTES);
          }
          byte[] signed =
              SevTransport.join(
                  nonce, SevTransport.digest(guest.digest), SevTransport.policy(guest.policy));
          return SevReply.data(REPORT_BYTES, Arrays.copyOf(signed, REPORT_BYTES));
        });
  }

  /** DBG_DECRYPT and DBG_ENCRYPT, of memory that is at an address of the guest. */
  SevReply debug(int handle, long address, MemorySegment memory) {
    return of(
        handle,
        guest -> {
          if (guest.forbidsDebug()) {
            return SevReply.failed(SevReply.POLICY_FAILURE);
          }
          guest.key.crypt(address, memory);
          return SevReply.done();
        });
  }

  /** SEND_START: the policy and the session. */
  SevReply sendStart(int handle, int room) {
    return in(
        handle,
        State.RUNNING,
        guest -> {
          if (guest.forbidsSend()) {
            return SevReply.failed(SevReply.POLICY_FAILURE);
          }
          if (Integer.compareUnsigned(room, SevTransport.SESSION_BYTES) < 0) {
            return SevReply.tooShort(SevTransport.SESSION_BYTES);
          }
          SevTransport transport = SevTransport.of(handle, guest.policy);
          guest.transport = Optional.of(transport);
          guest.state = State.SUPDATE;
          return SevReply.data(guest.policy, transport.session(guest.policy));
        });
  }

  /**
   * SEND_UPDATE_DATA: the packet's header and, after it, its data.
   *
   * @param memory a copy of what is in the guest's memory
   */
  SevReply sendUpdateData(
      int handle, long address, MemorySegment memory, int headerRoom, int dataRoom) {
    return in(
        handle,
        State.SUPDATE,
        guest -> {
          if (Integer.compareUnsigned(headerRoom, SevTransport.HEADER_BYTES) < 0
              || Integer.toUnsignedLong(dataRoom) < memory.byteSize()) {
            return SevReply.tooShort(SevTransport.HEADER_BYTES);
          }
          if (isUnaligned(address)) {
            return SevReply.failed(SevReply.INVALID_ADDRESS);
          }
          if (isUnaligned(memory.byteSize())) {
            return SevReply.failed(SevReply.INVALID_LEN);
          }
          guest.key.crypt(address, memory);
          byte[] data = memory.toArray(ValueLayout.JAVA_BYTE);
          byte[] header = guest.transport.orElseThrow().seal(data);
          return SevReply.data(0, SevTransport.join(header, data));
        });
  }

  /** SEND_FINISH. */
  SevReply sendFinish(int handle) {
    return move(handle, State.SUPDATE, State.SENT);
  }

  /** SEND_CANCEL. */
  SevReply sendCancel(int handle) {
    return move(handle, State.SUPDATE, State.RUNNING);
  }

  /** RECEIVE_START: the handle of a new guest. */
  SevReply receiveStart(int shared, int policy, byte[] session) {
    if (session.length != SevTransport.SESSION_BYTES) {
      return SevReply.failed(SevReply.INVALID_LEN);
    }
    Optional<SevTransport> transport = SevTransport.open(session, policy);
    return transport.isEmpty()
        ? SevReply.failed(SevReply.BAD_MEASUREMENT)
        : create(shared, policy, State.RUPDATE, transport);
  }

  /** RECEIVE_UPDATE_DATA. */
  SevReply receiveUpdateData(
      int handle, long address, MemorySegment memory, byte[] header, byte[] data) {
    return in(
        handle,
        State.RUPDATE,
        guest -> {
          if (isUnaligned(address)) {
            return SevReply.failed(SevReply.INVALID_ADDRESS);
          }
          if (isMisfit(memory, header, data)) {
            return SevReply.failed(SevReply.INVALID_LEN);
          }
          Optional<byte[]> opened = guest.transport.orElseThrow().open(header, data);
          if (opened.isEmpty()) {
            return SevReply.failed(SevReply.BAD_MEASUREMENT);
          }
          memory.copyFrom(MemorySegment.ofArray(opened.get()));
          guest.key.crypt(address, memory);
          return SevReply.done();
        });
  }

  /** RECEIVE_FINISH. */
  SevReply receiveFinish(int handle) {
    return move(handle, State.RUPDATE, State.RUNNING);
  }
}
