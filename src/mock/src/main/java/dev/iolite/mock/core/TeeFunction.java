package dev.iolite.mock.core;

import java.util.List;
import java.util.Optional;

/** A PCI function as the TSM knows it. */
public interface TeeFunction {
  /** The length of the nonce in a request for measurements, in bytes. */
  int NONCE_BYTES = 32;

  /** Its address, such as {@code 0000:00:05.0}. */
  String name();

  /** Whether it has a PCI Express capability. */
  boolean isExpress();

  /**
   * Whether a TSM can be connected to it (drivers/pci/tsm.c:is_pci_tsm_pf0): function 0 of a device
   * that has TDISP or IDE.
   */
  boolean isManager();

  /** Whether it supports TDISP (DEVCAP.TEE). */
  boolean hasTee();

  /** Whether its TDISP support is a TSM in software. */
  default boolean isEmulatedTee() {
    return false;
  }

  /** Whether it is plugged in. */
  boolean isPresent();

  /**
   * What the device reports about its interface when that is locked: a DEVICE_INTERFACE_REPORT with
   * this much added to each range's address.
   *
   * @param mmioOffset in bytes, signed, a multiple of 4 KiB
   */
  byte[] interfaceReport(long mmioOffset);

  /** How many bits the device's addresses have, as it tells the TSM. */
  int addressWidth();

  /**
   * What the device says about its firmware and configuration: SPDM's MEASUREMENTS message; if it
   * is signed, preceded by the messages that the signature covers.
   *
   * @param nonce the request's nonce, {@link #NONCE_BYTES} long
   */
  byte[] measurements(byte[] nonce);

  /**
   * Whether a range of a BAR is TEE memory, which only the guest may reach while the interface is
   * locked or runs.
   */
  boolean isTeeMemory(int bar, long offset);

  /** The TEE memory of a BAR, in ascending order; adjacent ranges are merged. */
  List<BarRange> teeRanges(int bar);

  /** The BARs that have TEE memory. */
  List<TeeBar> teeBars();

  /**
   * A BAR that has TEE memory.
   *
   * @param index its index
   * @param wide whether it takes 64-bit addresses
   * @param address its address on the bus; 0 if it has none
   */
  record TeeBar(int index, boolean wide, long address) {}

  /**
   * TEE memory as a guest's private side reaches it: while it does not answer, reads return all
   * bits set and writes are lost.
   *
   * @param physical its address on the bus
   * @return the memory; empty if the range is not entirely TEE memory of one BAR
   */
  Optional<Memory> trustedMemory(long physical, long bytes);

  /** Sets whom to ask and notify; empty: nobody, because the interface is unlocked. */
  void setGuard(Optional<Guard> guard);

  /** Guards a locked interface. */
  interface Guard {
    /**
     * Whether the device answers an access; one that it does not answer is unreachable.
     *
     * @param trusted whether it comes from the guest's private side
     */
    boolean admits(int bar, long offset, boolean trusted);

    /** Whether the lock also covers the MSI-X table and control (LOCK_MSIX). */
    boolean locksMsix();

    /** Called when the locked configuration has changed, or the function was reset. */
    void configurationChanged();

    /** Called when the function is gone. */
    void removed();
  }
}
