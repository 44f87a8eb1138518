package dev.iolite.tdi.profile;

import dev.iolite.kvm.Exit;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tsm.TdiState;
import dev.iolite.vfio.DmaBuf;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/** One thing that a proposal can do, and how. What it has no ability for, it can't do. */
interface Ability {
  /** To bind a vDEVICE that was just made, and to unbind it before it is destroyed. */
  interface Binds extends Ability {
    /** Whether the bind locks the interface too. */
    boolean locks();

    /** Binds. */
    void bind(TdiBinding binding);

    /** Unbinds. */
    void unbind(TdiBinding binding);
  }

  /** To change the interface's state. */
  interface SetsState extends Ability {
    /** Changes it. */
    void setState(TdiBinding binding, TdiState to);
  }

  /** To have the guest's private view of MMIO checked. */
  interface ValidatesMmio extends Ability {
    /** Has it checked. */
    void validateMmio(TdiBinding binding, long gpaBase, long gpaTop, long physical);
  }

  /** To read the interface's report. */
  interface ReadsReport extends Ability {
    /** Reads it. */
    byte[] report(TdiBinding binding);
  }

  /** To read the measurements of the interface's device. */
  interface Measures extends Ability {
    /**
     * Reads them.
     *
     * @param nonce of the right length
     */
    byte[] measurements(TdiBinding binding, MemorySegment nonce);
  }

  /** To switch the host's half of the interface's way through the IOMMU. */
  interface SwitchesDma extends Ability {
    /** Switches it. */
    void switchDma(TdiBinding binding, boolean on);
  }

  /** To make private dma-bufs. */
  interface ExportsPrivate extends Ability {
    /** The flags of VFIO_DEVICE_FEATURE_DMA_BUF for a dma-buf of a kind. */
    int flags(Kind kind);
  }

  /** To say what of a BAR a dma-buf has. */
  interface ListsRuns extends Ability {
    /** Asks the kernel. */
    List<DmaBufRun> runs(DmaBuf dmaBuf);
  }

  /**
   * To make slots over shared dma-bufs.
   *
   * @param flags of such a slot
   */
  record SharedSlots(int flags) implements Ability {}

  /**
   * To make slots over private dma-bufs.
   *
   * @param flags of such a slot
   * @param ofWholeDmaBuf whether a slot takes a whole dma-buf, or else a part
   */
  record PrivateSlots(int flags, boolean ofWholeDmaBuf) implements Ability {}

  /** To have vIOMMUs that are the TSM's and translate nothing: any page table will do for them. */
  record TsmViommus() implements Ability {}

  /**
   * To let the guest's KVM_HC_TSM_ calls leave it.
   *
   * @param bits of KVM_CAP_EXIT_HYPERCALL
   */
  record HypercallExits(long bits) implements Ability {}

  /** To let the guest ask by an exit of its own. */
  interface Exits extends Ability {
    /** What an exit asks for; empty if it is about something else. */
    Optional<GuestRequest> request(Exit exit);
  }
}
