package dev.iolite.mock.core;

import dev.iolite.uapi.catalog.Ioctl;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** The calls that a kernel's {@code /dev/iommu} has beyond those of 7.3, on vDEVICEs. */
public interface GuestDeviceCalls {
  /**
   * A command.
   *
   * @param ioctl the ioctl; it replaces the ioctl of 7.3 with the same number, if there is one. The
   *     first member of its struct is the size
   * @param lastField the last member that a caller must know
   * @param body what it does
   */
  record Command(Ioctl ioctl, String lastField, Body body) {}

  /** What a command does. */
  @FunctionalInterface
  interface Body {
    /**
     * Executes a call.
     *
     * @return the ioctl's result, not negative
     * @throws Refused if it fails
     */
    int execute(Call call);
  }

  /** A call. */
  interface Call {
    /** The struct, with zeros where the caller's was shorter; valid until the call ends. */
    MemorySegment argument();

    /**
     * A vDEVICE of the context.
     *
     * @throws Refused ENOENT
     */
    GuestDevice guestDevice(int id);

    /**
     * Copies the struct back to the caller.
     *
     * @throws Refused EFAULT
     */
    void respond();
  }

  /** The commands. */
  List<Command> commands();

  /**
   * Whether a device has a vIOMMU of a type that does not belong to its IOMMU. Such a vIOMMU
   * translates nothing and takes no data.
   *
   * @param type IOMMU_VIOMMU_TYPE_*
   */
  default boolean hasViommu(IommuDevice device, int type) {
    return false;
  }

  /**
   * Called when a vDEVICE is made.
   *
   * @throws Refused why it must not be
   */
  void added(GuestDevice device);

  /** Called when a vDEVICE that was made is destroyed. */
  void removed(GuestDevice device);

  /** Linux 7.3, which has no such calls. */
  static GuestDeviceCalls none() {
    return new GuestDeviceCalls() {
      @Override
      public List<Command> commands() {
        return List.of();
      }

      @Override
      public void added(GuestDevice device) {}

      @Override
      public void removed(GuestDevice device) {}
    };
  }
}
