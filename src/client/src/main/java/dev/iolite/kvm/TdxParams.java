package dev.iolite.kvm;

import dev.iolite.uapi.kvm.kvm_tdx_init_vm;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * How a trust domain is configured (TD_PARAMS).
 *
 * <p>Immutable, and safe for use by several threads; the methods return another.
 */
public final class TdxParams {
  private static final int ADDRESS_SIZES = 0x8000_0008;
  private static final int GUEST_ADDRESS_SHIFT = 16;
  private static final int DIGEST_BYTES = 48;

  private final long attributes;
  private final long xfam;
  private final byte[] configId;
  private final byte[] owner;
  private final byte[] ownerConfig;
  private final List<CpuidEntry> cpuid;

  private TdxParams(
      long attributes,
      long xfam,
      byte[] configId,
      byte[] owner,
      byte[] ownerConfig,
      List<CpuidEntry> cpuid) {
    this.attributes = attributes;
    this.xfam = xfam;
    this.configId = configId;
    this.owner = owner;
    this.ownerConfig = ownerConfig;
    this.cpuid = List.copyOf(cpuid);
  }

  /**
   * No attributes, registers of measurement that are 0, and one CPUID leaf.
   *
   * @param xfam the extended state that the guest has; at least 3, for x87 and SSE
   * @param guestAddressBits the width of guest-physical addresses, 48 or 52; the highest bit of an
   *     address says that it is shared
   */
  public static TdxParams of(long xfam, int guestAddressBits) {
    byte[] zero = new byte[DIGEST_BYTES];
    CpuidEntry sizes =
        new CpuidEntry(
            ADDRESS_SIZES, OptionalInt.empty(), guestAddressBits << GUEST_ADDRESS_SHIFT, 0, 0, 0);
    return new TdxParams(0, xfam, zero, zero, zero, List.of(sizes));
  }

  /** With attributes: bit 0 makes the domain one for debugging, whose registers KVM can read. */
  public TdxParams withAttributes(long bits) {
    return new TdxParams(bits, xfam, configId, owner, ownerConfig, cpuid);
  }

  /**
   * With the registers that the guest's reports have beside the measurement: SHA-384 digests.
   *
   * @param newConfigId MRCONFIGID, of what the guest is configured with
   * @param newOwner MROWNER, of its owner
   * @param newOwnerConfig MROWNERCONFIG, of what the owner configured
   * @throws IllegalArgumentException if one does not have 48 bytes
   */
  public TdxParams withMeasurementRegisters(
      byte[] newConfigId, byte[] newOwner, byte[] newOwnerConfig) {
    return new TdxParams(
        attributes, xfam, digest(newConfigId), digest(newOwner), digest(newOwnerConfig), cpuid);
  }

  private static byte[] digest(byte[] digest) {
    if (digest.length != DIGEST_BYTES) {
      throw new IllegalArgumentException(
          "a measurement register has 48 bytes, not " + digest.length);
    }
    return digest.clone();
  }

  /** With one more CPUID leaf that the TDX module lets the owner configure. */
  public TdxParams withCpuid(CpuidEntry entry) {
    List<CpuidEntry> more = new ArrayList<>(cpuid);
    more.add(entry);
    return new TdxParams(attributes, xfam, configId, owner, ownerConfig, more);
  }

  List<CpuidEntry> cpuid() {
    return cpuid;
  }

  /** Fills everything but the CPUID. */
  void store(MemorySegment init) {
    kvm_tdx_init_vm.attributes(init, attributes);
    kvm_tdx_init_vm.xfam(init, xfam);
    kvm_tdx_init_vm.mrconfigid(init, MemorySegment.ofArray(configId));
    kvm_tdx_init_vm.mrowner(init, MemorySegment.ofArray(owner));
    kvm_tdx_init_vm.mrownerconfig(init, MemorySegment.ofArray(ownerConfig));
  }
}
