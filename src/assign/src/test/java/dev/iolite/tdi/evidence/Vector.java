package dev.iolite.tdi.evidence;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A transcript that OpenSSL signs.
 *
 * @param name of its files: {@code NAME.bin} and {@code NAME.pem}
 * @param version 0x11, 0x12 or 0x13
 * @param signingBit which stands for it in ALGORITHMS
 * @param hashBit which stands for it in ALGORITHMS
 */
record Vector(
    String name,
    int version,
    SigningAlgorithm signing,
    int signingBit,
    HashAlgorithm hash,
    int hashBit) {
  static final byte[] NONCE = TranscriptBytes.filled(32, 0xa5);
  static final byte[] CONTEXT = {1, 2, 3, 4, 5, 6, 7, 8};

  /** All that OpenSSL 3.0 can sign with by itself: it takes no purpose for Ed448. */
  static final List<Vector> ALL =
      List.of(
          new Vector(
              "v11-ecdsa-p384",
              0x11,
              SigningAlgorithm.ECDSA_P384,
              0x80,
              HashAlgorithm.SHA_384,
              0x2),
          new Vector(
              "v11-rsassa-3072",
              0x11,
              SigningAlgorithm.RSASSA_3072,
              0x4,
              HashAlgorithm.SHA_384,
              0x2),
          new Vector(
              "v12-ecdsa-p256",
              0x12,
              SigningAlgorithm.ECDSA_P256,
              0x10,
              HashAlgorithm.SHA_256,
              0x1),
          new Vector(
              "v12-ecdsa-p384",
              0x12,
              SigningAlgorithm.ECDSA_P384,
              0x80,
              HashAlgorithm.SHA_384,
              0x2),
          new Vector(
              "v12-ecdsa-p521",
              0x12,
              SigningAlgorithm.ECDSA_P521,
              0x100,
              HashAlgorithm.SHA_512,
              0x4),
          new Vector(
              "v12-ecdsa-sha3",
              0x12,
              SigningAlgorithm.ECDSA_P384,
              0x80,
              HashAlgorithm.SHA3_384,
              0x10),
          new Vector(
              "v12-rsassa-2048",
              0x12,
              SigningAlgorithm.RSASSA_2048,
              0x1,
              HashAlgorithm.SHA_256,
              0x1),
          new Vector(
              "v12-rsassa-3072",
              0x12,
              SigningAlgorithm.RSASSA_3072,
              0x4,
              HashAlgorithm.SHA3_256,
              0x8),
          new Vector(
              "v12-rsassa-4096",
              0x12,
              SigningAlgorithm.RSASSA_4096,
              0x20,
              HashAlgorithm.SHA_512,
              0x4),
          new Vector(
              "v12-rsapss-2048",
              0x12,
              SigningAlgorithm.RSAPSS_2048,
              0x2,
              HashAlgorithm.SHA_256,
              0x1),
          new Vector(
              "v12-rsapss-3072",
              0x12,
              SigningAlgorithm.RSAPSS_3072,
              0x8,
              HashAlgorithm.SHA_384,
              0x2),
          new Vector(
              "v12-rsapss-4096",
              0x12,
              SigningAlgorithm.RSAPSS_4096,
              0x40,
              HashAlgorithm.SHA3_512,
              0x20),
          new Vector(
              "v12-ed25519", 0x12, SigningAlgorithm.ED25519, 0x400, HashAlgorithm.SHA_512, 0x4),
          new Vector(
              "v13-ecdsa-p384",
              0x13,
              SigningAlgorithm.ECDSA_P384,
              0x80,
              HashAlgorithm.SHA_384,
              0x2));

  /** What something else than OpenSSL signs. */
  static final Vector ED448 =
      new Vector("v12-ed448", 0x12, SigningAlgorithm.ED448, 0x800, HashAlgorithm.SHA3_512, 0x20);

  /** Makes all files in a directory, with new keys, and what else is to be signed. */
  public static void main(String[] arguments) {
    Path directory = Path.of(arguments[0]);
    ALL.forEach(vector -> vector.make(directory));
    new OpenSsl(directory).write(ED448.name() + ".covered", ED448.covered());
  }

  /** What is signed: from 1.2 on with what was agreed on before. */
  byte[] covered() {
    TranscriptBytes bytes = new TranscriptBytes(version);
    return version == 0x11 ? exchanged(bytes) : exchanged(bytes.negotiated(signingBit, hashBit));
  }

  private byte[] exchanged(TranscriptBytes bytes) {
    MessageBytes answer =
        new MessageBytes(version)
            .parameters(0, version == 0x11 ? 2 : 0x22)
            .block(1, 0, TranscriptBytes.filled(48, 0x11))
            .block(2, 0x86, (byte) 'v', (byte) '1');
    if (version == 0x13) {
      answer.block(3, 8, TranscriptBytes.filled(48, 0x33)).block(4, 0x89, (byte) 'i');
      answer.block(5, 0x8a, (byte) 1, (byte) 2);
    }
    answer.end(0x77, (byte) 0, (byte) 0, (byte) 0, (byte) 0);
    if (version == 0x13) {
      answer.after(CONTEXT);
    }
    return bytes
        .request(TranscriptBytes.SIGNED | 2, TranscriptBytes.ALL, NONCE, 2, CONTEXT)
        .add(answer.toArray())
        .toArray();
  }

  /** The messages before what is signed, if those are not signed, and all that is. */
  byte[] signed(byte[] signature) {
    return new TranscriptBytes(version)
        .add(version == 0x11 ? negotiatedAlone() : new byte[0])
        .add(covered())
        .add(signature)
        .toArray();
  }

  private byte[] negotiatedAlone() {
    return new TranscriptBytes(version).negotiated(signingBit, hashBit).toArray();
  }

  void make(Path directory) {
    OpenSsl openssl = new OpenSsl(directory);
    openssl.key(name, signing);
    openssl.write(name + ".bin", signed(openssl.sign(name, version, signing, hash, covered())));
  }

  static byte[] resource(String file) {
    try {
      return Files.readAllBytes(
          Path.of("src/assign/src/test/resources/dev/iolite/tdi/evidence", file));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  byte[] bytes() {
    return resource(name + ".bin");
  }

  Evidence evidence() {
    return Evidence.parse(MemorySegment.ofArray(bytes()));
  }

  Trust trust() {
    return Trust.of(resource(name + ".pem"), name + ".pem");
  }

  @Override
  public String toString() {
    return name;
  }
}
