package dev.iolite.kvm;

import dev.iolite.uapi.kvm.Kvm;
import java.util.Optional;

/**
 * What the launch of a guest with SEV-SNP ends with.
 *
 * <p>Immutable, and safe for use by several threads; the methods return another.
 */
public final class SnpFinish {
  private static final int ID_BLOCK_BYTES = Kvm.KVM_SEV_SNP_ID_BLOCK_SIZE();
  private static final int ID_AUTH_BYTES = Kvm.KVM_SEV_SNP_ID_AUTH_SIZE();
  private static final int HOST_DATA_BYTES = Kvm.KVM_SEV_SNP_FINISH_DATA_SIZE();

  /** The identity of a guest, as its owner signed it. */
  record Identity(Blob block, Blob authentication, boolean hasAuthorKey) {}

  /** Bytes that nobody changes. */
  static final class Blob {
    private final byte[] bytes;

    private Blob(String what, byte[] bytes, int length) {
      if (bytes.length != length) {
        throw new IllegalArgumentException(
            "%s has %d bytes, not %d".formatted(what, length, bytes.length));
      }
      this.bytes = bytes.clone();
    }

    byte[] bytes() {
      return bytes.clone();
    }
  }

  private final Optional<Identity> identity;
  private final boolean vcekDisabled;
  private final Blob hostData;

  private SnpFinish(Optional<Identity> identity, boolean vcekDisabled, Blob hostData) {
    this.identity = identity;
    this.vcekDisabled = vcekDisabled;
    this.hostData = hostData;
  }

  /** No identity, no data of the host, and reports that may be signed by the chip's key. */
  public static SnpFinish plain() {
    return new SnpFinish(
        Optional.empty(),
        false,
        new Blob("the host's data", new byte[HOST_DATA_BYTES], HOST_DATA_BYTES));
  }

  /**
   * With an identity that the guest's owner signed: the launch fails unless it is that of the
   * guest's measurement and policy.
   *
   * @param block the id block, of 96 bytes
   * @param authentication the id authentication information, of 4096 bytes
   * @param hasAuthorKey whether the latter also has an author key, which is checked too
   * @throws IllegalArgumentException if one has another length
   */
  public SnpFinish withIdentity(byte[] block, byte[] authentication, boolean hasAuthorKey) {
    Identity given =
        new Identity(
            new Blob("an id block", block, ID_BLOCK_BYTES),
            new Blob("id authentication information", authentication, ID_AUTH_BYTES),
            hasAuthorKey);
    return new SnpFinish(Optional.of(given), vcekDisabled, hostData);
  }

  /** With reports that are never signed by the chip's key (VCEK). */
  public SnpFinish withoutVcek() {
    return new SnpFinish(identity, true, hostData);
  }

  /**
   * With data of the host, which will be in the guest's reports.
   *
   * @param data 32 bytes
   * @throws IllegalArgumentException if it has another length
   */
  public SnpFinish withHostData(byte[] data) {
    return new SnpFinish(
        identity, vcekDisabled, new Blob("the host's data", data, HOST_DATA_BYTES));
  }

  Optional<Identity> identity() {
    return identity;
  }

  boolean isVcekDisabled() {
    return vcekDisabled;
  }

  byte[] hostData() {
    return hostData.bytes();
  }
}
