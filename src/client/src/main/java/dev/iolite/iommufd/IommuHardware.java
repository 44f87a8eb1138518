package dev.iolite.iommufd;

import java.util.List;
import java.util.stream.Stream;

/**
 * What an IOMMU driver reports about its hardware, in the format specific to that kind of IOMMU.
 *
 * <p>The registers are raw: the hardware may support more than the driver uses.
 *
 * <p>Its implementations are values: safe for use by several threads.
 */
public sealed interface IommuHardware {
  /** The kind of IOMMU, in words. */
  String name();

  /** A driver that reports nothing. */
  record None() implements IommuHardware {
    @Override
    public String name() {
      return "an IOMMU whose driver tells nothing of it";
    }
  }

  /**
   * Intel VT-d. Bit positions are those of drivers/iommu/intel/iommu.h.
   *
   * @param flags bit 0: erratum 772415, no read-only mappings under a nested page table
   * @param cap the capability register
   * @param ecap the extended capability register
   */
  record IntelVtd(int flags, long cap, long ecap) implements IommuHardware {
    @Override
    public String name() {
      return "Intel VT-d";
    }

    /** The width of the largest IOVA in bits, in legacy mode or in second-stage tables. */
    public int addressBits() {
      return (int) ((cap >>> 16) & 0x3f) + 1;
    }

    /** The page table depths that it can walk: some of 3, 4 and 5 levels. */
    public List<Integer> levels() {
      return Stream.of(3, 4, 5).filter(n -> bit(cap, 6 + n)).toList();
    }

    /** Whether it can map 2 MiB pages. */
    public boolean pages2M() {
      return bit(cap, 34);
    }

    /** Whether it can map 1 GiB pages. */
    public boolean pages1G() {
      return bit(cap, 35);
    }

    /** Whether it caches entries that are not present, as emulated IOMMUs usually do. */
    public boolean cachingMode() {
      return bit(cap, 7);
    }

    /** Whether it has scalable mode, which PASIDs and nesting need. */
    public boolean scalableMode() {
      return bit(ecap, 43);
    }

    /** Whether a guest's page tables can be nested on the host's (in scalable mode). */
    public boolean nesting() {
      return bit(ecap, 26);
    }

    /** Whether requests can carry a PASID (in scalable mode). */
    public boolean pasid() {
      return bit(ecap, 40);
    }

    /** How many bits of a PASID it supports; 0 without {@link #pasid}. */
    public int pasidBits() {
      return pasid() ? (int) ((ecap >>> 35) & 0x1f) + 1 : 0;
    }

    /** Whether devices can ask for pages (in scalable mode). */
    public boolean pageRequests() {
      return bit(ecap, 29);
    }

    /** Whether it has first-stage tables, in the format of the processor's page tables. */
    public boolean firstStage() {
      return bit(ecap, 47);
    }

    /** Whether it has second-stage tables in scalable mode. */
    public boolean secondStage() {
      return bit(ecap, 46);
    }

    /** Whether it records accessed and dirty pages in second-stage tables. */
    public boolean dirtyTracking() {
      return bit(ecap, 45);
    }

    /**
     * Whether DMA can be made coherent with the processor's caches, whatever the device requests.
     */
    public boolean snoopControl() {
      return bit(ecap, 7);
    }

    /** Whether it remaps interrupts; without that, devices are not isolated. */
    public boolean interruptRemapping() {
      return bit(ecap, 3);
    }

    /** Whether devices can have a translation cache of their own (ATS). */
    public boolean deviceTlb() {
      return bit(ecap, 2);
    }

    private static boolean bit(long register, int position) {
      return ((register >>> position) & 1) != 0;
    }
  }

  /**
   * Arm SMMUv3.
   *
   * @param flags bit 0: erratum, invalidations must be issued twice
   * @param idr the registers IDR0 to IDR5
   * @param iidr the register IIDR, which identifies the implementation
   * @param aidr the register AIDR, the version of the architecture
   */
  record ArmSmmuV3(int flags, List<Integer> idr, int iidr, int aidr) implements IommuHardware {
    /** Copies the list. */
    public ArmSmmuV3 {
      idr = List.copyOf(idr);
    }

    @Override
    public String name() {
      return "Arm SMMUv3";
    }
  }

  /**
   * NVIDIA Tegra241 command queues, an extension of Arm SMMUv3.
   *
   * @param version the version of the hardware
   * @param log2Queues the binary logarithm of the number of virtual command queues
   * @param log2StreamIds the binary logarithm of the number of stream id replacements
   */
  record Tegra241Cmdqv(int version, int log2Queues, int log2StreamIds) implements IommuHardware {
    @Override
    public String name() {
      return "NVIDIA Tegra241 CMDQV";
    }
  }

  /**
   * AMD-Vi.
   *
   * @param efr the extended feature register
   * @param efr2 the second extended feature register
   */
  record AmdVi(long efr, long efr2) implements IommuHardware {
    @Override
    public String name() {
      return "AMD-Vi";
    }
  }

  /**
   * A kind that these bindings do not know, or whose data is shorter than they expect.
   *
   * @param type the kernel's number for it
   * @param data the data in hexadecimal
   */
  record Unknown(int type, String data) implements IommuHardware {
    @Override
    public String name() {
      return "an IOMMU of unknown type " + Integer.toUnsignedString(type);
    }
  }
}
