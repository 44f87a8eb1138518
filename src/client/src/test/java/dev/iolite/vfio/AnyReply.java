package dev.iolite.vfio;

import dev.iolite.uapi.vfio.vfio_device_info;
import dev.iolite.uapi.vfio.vfio_iommu_type1_info;
import dev.iolite.uapi.vfio.vfio_region_info;
import java.lang.foreign.MemorySegment;
import java.util.function.Function;

/** A reply of VFIO's with capabilities, made of any bytes. */
public final class AnyReply {
  private AnyReply() {}

  /** Decodes the chain of a device's, a region's and a container's reply; they may be refused. */
  public static void decode(byte[] bytes) {
    MemorySegment reply =
        MemorySegment.ofArray(new long[(bytes.length + Long.BYTES - 1) / Long.BYTES])
            .asSlice(0, bytes.length);
    MemorySegment.copy(MemorySegment.ofArray(bytes), 0, reply, 0, bytes.length);
    if (bytes.length >= vfio_device_info.sizeof()) {
      decode(
          reply,
          vfio_device_info.sizeof(),
          vfio_device_info.cap_offset(reply),
          Capabilities::ofDevice);
    }
    if (bytes.length >= vfio_region_info.sizeof()) {
      decode(
          reply,
          vfio_region_info.sizeof(),
          vfio_region_info.cap_offset(reply),
          Capabilities::ofRegion);
    }
    if (bytes.length >= vfio_iommu_type1_info.sizeof()) {
      decode(
          reply,
          vfio_iommu_type1_info.sizeof(),
          vfio_iommu_type1_info.cap_offset(reply),
          Type1Capabilities::of);
    }
  }

  private static void decode(
      MemorySegment reply, long fixed, int first, Function<CapabilityChain.Raw, ?> decoder) {
    try {
      CapabilityChain.decode("a reply", reply, fixed, first, decoder);
    } catch (MalformedReplyException _) {
      // Refused.
    }
  }
}
