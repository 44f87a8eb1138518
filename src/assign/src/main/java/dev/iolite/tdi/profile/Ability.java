package dev.iolite.tdi.profile;

import dev.iolite.kvm.Exit;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tsm.TdiState;
import dev.iolite.vfio.DmaBuf;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * One thing that a proposal can do, and how it does it. A proposal can do only what it has an
 * ability for.
 */
interface Ability {
  /** Binds a vDEVICE that was just made, and unbinds it before it is destroyed. */
  interface Binds extends Ability {
    /** Whether the bind locks the interface too. */
    boolean locks();

    /** Binds. */
    void bind(TdiBinding binding);

    /** Unbinds. */
    void unbind(TdiBinding binding);
  }

  /** Changes the interface's state. */
  interface SetsState extends Ability {
    /** Changes it. */
    void setState(TdiBinding binding, TdiState to);
  }

  /** Checks the guest's private view of MMIO. */
  interface ValidatesMmio extends Ability {
    /** Checks it. */
    void validateMmio(TdiBinding binding, long gpaBase, long gpaTop, long physical, int rangeId);
  }

  /** Reads the interface's report. */
  interface ReadsReport extends Ability {
    /** Reads it. */
    byte[] report(TdiBinding binding);
  }

  /** Reads the measurements of the interface's device. */
  interface Measures extends Ability {
    /**
     * Reads them.
     *
     * @param nonce a nonce of the right length
     */
    byte[] measurements(TdiBinding binding, MemorySegment nonce);
  }

  /** Switches the host's half of the interface's DMA on and off. */
  interface SwitchesDma extends Ability {
    /** Switches it. */
    void switchDma(TdiBinding binding, boolean on);
  }

  /** Exports private dma-bufs. */
  interface ExportsPrivate extends Ability {
    /** The flags of VFIO_DEVICE_FEATURE_DMA_BUF for a dma-buf of a kind. */
    int flags(Kind kind);
  }

  /** Lists the runs of a BAR that a dma-buf covers. */
  interface ListsRuns extends Ability {
    /** Asks the kernel. */
    List<DmaBufRun> runs(DmaBuf dmaBuf);
  }

  /**
   * Makes slots over shared dma-bufs.
   *
   * @param flags the flags of such a slot
   */
  record SharedSlots(int flags) implements Ability {}

  /**
   * Makes slots over private dma-bufs.
   *
   * @param flags the flags of such a slot
   * @param ofWholeDmaBuf whether a slot covers a whole dma-buf rather than a part of one
   */
  record PrivateSlots(int flags, boolean ofWholeDmaBuf) implements Ability {}

  /**
   * Has vIOMMUs that belong to the TSM and translate nothing, so that any page table will do for
   * them.
   */
  record TsmViommus() implements Ability {}

  /**
   * Makes the guest's KVM_HC_TSM_ hypercalls exit to the VMM.
   *
   * @param bits the bits of KVM_CAP_EXIT_HYPERCALL
   */
  record HypercallExits(long bits) implements Ability {}

  /** Lets the guest make its requests by a dedicated exit. */
  interface Exits extends Ability {
    /** Returns what an exit asks for; empty if it is about something else. */
    Optional<GuestRequest> request(Exit exit);
  }
}
