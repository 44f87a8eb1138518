package dev.iolite.tdi.evidence;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A device's measurements in the forms in which TSMs and tools deliver them: an answer alone;
 * requests and their answers; and each of these preceded by the messages from GET_VERSION to
 * ALGORITHMS, and those with which certificates were requested. The messages follow one another
 * with nothing in between.
 *
 * <p>Only a signature proves that they are the device's: {@link Trust} verifies it.
 */
public final class Evidence {
  private final byte[] bytes;
  private final Optional<Negotiation> negotiation;
  private final CertificateMessages certificates;
  private final List<MeasurementsRequest> requests;
  private final Measurements measurements;

  private Evidence(
      byte[] bytes,
      Optional<Negotiation> negotiation,
      CertificateMessages certificates,
      List<MeasurementsRequest> requests,
      Measurements measurements) {
    this.bytes = bytes;
    this.negotiation = negotiation;
    this.certificates = certificates;
    this.requests = List.copyOf(requests);
    this.measurements = measurements;
  }

  /**
   * Reads messages. Whatever might be misunderstood is refused: another version; blocks that are
   * not in DMTF's form, of a type that the version does not have or with a duplicate index; lengths
   * that contradict one another; answers to something other than what was asked; and bytes that are
   * missing or left over. An answer that measures nothing is refused too: one without blocks,
   * except to a request for the number of measurements that is followed by others.
   *
   * @param given the messages and nothing else
   * @throws MalformedMeasurementsException if one breaks a rule; the message says at which byte
   */
  public static Evidence parse(MemorySegment given) {
    byte[] bytes = given.toArray(ValueLayout.JAVA_BYTE);
    MemorySegment all = MemorySegment.ofArray(bytes);
    Optional<Negotiation> negotiation =
        new MessageReader(all, 0, MessageCode.GET_VERSION).isNext()
            ? Optional.of(Negotiation.read(all))
            : Optional.empty();
    long at = negotiation.map(Negotiation::bytes).orElse(0L);
    CertificateMessages certificates =
        CertificateMessages.read(all, at, negotiation.flatMap(Negotiation::hash));
    at += certificates.bytes();
    List<MeasurementsRequest> requests = new ArrayList<>();
    List<Measurements> answers = new ArrayList<>();
    MessageReader first = new MessageReader(all, at, MessageCode.GET_MEASUREMENTS);
    negotiation.ifPresent(agreed -> requireVersion(first, agreed.version()));
    if (!first.isNext()) {
      MessageReader answer = new MessageReader(all, at, MessageCode.MEASUREMENTS);
      answers.add(Measurements.read(answer, Optional.empty()).message());
    }
    while (answers.isEmpty() || (!requests.isEmpty() && at < bytes.length)) {
      MessageReader next = new MessageReader(all, at, MessageCode.GET_MEASUREMENTS);
      MeasurementsRequest request = MeasurementsRequest.read(next);
      if (!requests.isEmpty()) {
        requireVersion(next, requests.getFirst().version());
      }
      at += request.bytes();
      Measurements.Read answer =
          Measurements.read(
              new MessageReader(all, at, MessageCode.MEASUREMENTS), Optional.of(request));
      at += answer.bytes();
      requests.add(request);
      answers.add(answer.message());
    }
    return new Evidence(
        bytes, negotiation, certificates, requests, together(answers, bytes.length));
  }

  private static void requireVersion(MessageReader first, SpdmVersion agreed) {
    if (first.size() > 0 && SpdmVersion.of(first.u8(0)).filter(agreed::equals).isEmpty()) {
      throw first.wrong(
          0,
          "version 0x%02x".formatted(first.u8(0)),
          "the messages before it are of SPDM " + agreed);
    }
  }

  /** The last answer, which may be signed, with the blocks of all answers. */
  private static Measurements together(List<Measurements> answers, long end) {
    List<Measurement> blocks =
        answers.stream().flatMap(answer -> answer.blocks().stream()).toList();
    if (blocks.isEmpty()) {
      throw new MalformedMeasurementsException(
          MessageCode.MEASUREMENTS.toString(),
          end,
          "no measurement before the end",
          "an answer without blocks only says how many there are");
    }
    Measurements last = answers.getLast();
    return new Measurements(
        last.version(),
        last.slot(),
        last.change(),
        blocks,
        last.nonce(),
        last.opaque(),
        last.context(),
        last.signature());
  }

  /** What was agreed on before, if the messages for that are included. */
  public Optional<Negotiation> negotiation() {
    return negotiation;
  }

  /** The device's certificates in the answer's slot, in SPDM's form, if they were requested. */
  Optional<byte[]> certificates() {
    return Optional.ofNullable(certificates.chains().get(measurements.slot()));
  }

  /** The version, if it is newer than the known ones and was read as the newest of them. */
  public Optional<String> newerVersion() {
    int number = bytes[(int) (negotiationBytes() + certificates.bytes())];
    return SpdmVersion.isNewer(number)
        ? Optional.of("%d.%d".formatted(number >> 4, number & 0xf))
        : Optional.empty();
  }

  /** The requests; empty if there is only the answer. */
  public List<MeasurementsRequest> requests() {
    return requests;
  }

  /** The last answer, which may have a signature, with the blocks of all answers. */
  public Measurements measurements() {
    return measurements;
  }

  /** The names of the messages, in order. */
  public String messages() {
    StringBuilder names = new StringBuilder();
    negotiation.ifPresent(_ -> names.append("GET_VERSION to ALGORITHMS, "));
    if (certificates.bytes() > 0) {
      names.append("certificates, ");
    }
    if (!requests.isEmpty()) {
      names.append("GET_MEASUREMENTS, ");
    }
    names.append("MEASUREMENTS");
    return requests.size() > 1
        ? "%s; %d of each".formatted(names, requests.size())
        : names.toString();
  }

  /** The messages before the requests, as they are. */
  byte[] negotiated() {
    return slice(0, negotiationBytes());
  }

  /** The requests and answers, as they are, without the signature. */
  byte[] exchanged() {
    int signature = measurements.signature().map(MemorySegment::byteSize).orElse(0L).intValue();
    return slice(negotiationBytes() + (int) certificates.bytes(), bytes.length - signature);
  }

  private int negotiationBytes() {
    return negotiation.map(Negotiation::bytes).orElse(0L).intValue();
  }

  private byte[] slice(int from, int to) {
    return Arrays.copyOfRange(bytes, from, to);
  }
}
