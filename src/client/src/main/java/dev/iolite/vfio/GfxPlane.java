package dev.iolite.vfio;

import java.util.OptionalInt;

/**
 * A plane of a graphics device, as its guest has set it. All sizes are 0 if the guest has switched
 * it off.
 *
 * @param drmFormat the format, a DRM fourcc
 * @param drmFormatModifier the tiling, a DRM modifier
 * @param width in pixels
 * @param height in pixels
 * @param stride in bytes
 * @param bytes its size, whole pages
 * @param x where a cursor is
 * @param y where a cursor is
 * @param hotX the cursor's hot spot; empty if there is none
 * @param hotY the cursor's hot spot; empty if there is none
 * @param source the index of the region that has it, or the id of its dma-buf, as was asked for
 */
public record GfxPlane(
    int drmFormat,
    long drmFormatModifier,
    int width,
    int height,
    int stride,
    int bytes,
    int x,
    int y,
    OptionalInt hotX,
    OptionalInt hotY,
    int source) {

  /** What a plane is for: DRM_PLANE_TYPE_*. */
  public enum Type {
    /** Over the primary plane. */
    OVERLAY(0),
    /** The screen. */
    PRIMARY(1),
    /** The cursor. */
    CURSOR(2);

    private final int number;

    Type(int number) {
      this.number = number;
    }

    int number() {
      return number;
    }
  }

  /** How a plane's pixels are reached. */
  public enum Source {
    /** By a dma-buf. */
    DMA_BUF,
    /** By a region of the device. */
    REGION
  }
}
