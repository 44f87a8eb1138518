package dev.iolite.vfio;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_gfx_plane_info;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.OptionalInt;

/**
 * What a mediated graphics device shows. vfio-pci has no such calls (ENOTTY). See
 * samples/vfio-mdev/mdpy.c and drivers/gpu/drm/i915/gvt/kvmgt.c.
 *
 * <p>Safe for use by several threads.
 */
public final class GfxPlanes {
  private static final int NO_HOT_SPOT = -1;

  private final Fd fd;

  GfxPlanes(Fd fd) {
    this.fd = fd;
  }

  /**
   * Whether planes are reached in this way, by VFIO_DEVICE_QUERY_GFX_PLANE with PROBE.
   *
   * @throws KernelException ENOTTY: it shows nothing
   */
  public boolean supports(GfxPlane.Source source) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment probe = plane(arena, Vfio.VFIO_GFX_PLANE_TYPE_PROBE() | bit(source));
      return fd.ioctl(VfioIoctls.VFIO_DEVICE_QUERY_GFX_PLANE, probe, Errno.EINVAL) >= 0;
    }
  }

  /**
   * Describes a plane, by VFIO_DEVICE_QUERY_GFX_PLANE.
   *
   * @throws KernelException ENOTTY: it shows nothing; EINVAL: it has no such plane, or is reached
   *     otherwise
   */
  public GfxPlane query(GfxPlane.Type type, GfxPlane.Source source) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment plane = plane(arena, bit(source));
      vfio_device_gfx_plane_info.drm_plane_type(plane, type.number());
      fd.ioctl(VfioIoctls.VFIO_DEVICE_QUERY_GFX_PLANE, plane);
      return new GfxPlane(
          vfio_device_gfx_plane_info.drm_format(plane),
          vfio_device_gfx_plane_info.drm_format_mod(plane),
          vfio_device_gfx_plane_info.width(plane),
          vfio_device_gfx_plane_info.height(plane),
          vfio_device_gfx_plane_info.stride(plane),
          vfio_device_gfx_plane_info.size(plane),
          vfio_device_gfx_plane_info.x_pos(plane),
          vfio_device_gfx_plane_info.y_pos(plane),
          hot(vfio_device_gfx_plane_info.x_hot(plane)),
          hot(vfio_device_gfx_plane_info.y_hot(plane)),
          vfio_device_gfx_plane_info.region_index(plane));
    }
  }

  /**
   * Opens the dma-buf of a plane, by VFIO_DEVICE_GET_GFX_DMABUF.
   *
   * @param id the {@link GfxPlane#source} of a plane that was queried as a dma-buf
   * @return the dma-buf, which is the caller's to close
   * @throws KernelException ENOTTY: it shows nothing; EINVAL: no such dma-buf
   */
  public Fd dmaBuf(int id) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment number = arena.allocateFrom(ValueLayout.JAVA_INT, id);
      return fd.ioctlFd(VfioIoctls.VFIO_DEVICE_GET_GFX_DMABUF, number, "plane " + id + " of " + fd);
    }
  }

  private static MemorySegment plane(Arena arena, int flags) {
    MemorySegment plane = vfio_device_gfx_plane_info.allocate(arena);
    vfio_device_gfx_plane_info.argsz(plane, (int) plane.byteSize());
    vfio_device_gfx_plane_info.flags(plane, flags);
    return plane;
  }

  private static int bit(GfxPlane.Source source) {
    return source == GfxPlane.Source.DMA_BUF
        ? Vfio.VFIO_GFX_PLANE_TYPE_DMABUF()
        : Vfio.VFIO_GFX_PLANE_TYPE_REGION();
  }

  private static OptionalInt hot(int position) {
    return position == NO_HOT_SPOT ? OptionalInt.empty() : OptionalInt.of(position);
  }
}
