package dev.iolite.mock.core;

import dev.iolite.uapi.catalog.Ioctl;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** The calls of a kernel's {@code /dev/iommu} beyond those of 7.3, on vDEVICEs. */
public interface GuestDeviceCalls {
  /**
   * A command.
   *
   * @param ioctl the ioctl; it replaces 7.3's of its number, if there is one. The first member of
   *     its struct is the size
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
     * @return what the ioctl returns, not negative
     * @throws Refused if it fails
     */
    int execute(Call call);
  }

  /** A call. */
  interface Call {
    /** The struct, with zeros where the caller's was shorter; live until the call ends. */
    MemorySegment argument();

    /**
     * A vDEVICE of the context.
     *
     * @throws Refused ENOENT
     */
    GuestDevice guestDevice(int id);

    /**
     * Gives the caller the struct back.
     *
     * @throws Refused EFAULT
     */
    void respond();
  }

  /** The commands. */
  List<Command> commands();

  /**
   * Whether there is a vIOMMU of a type for a device that is not its IOMMU's. It translates nothing
   * and takes no data.
   *
   * @param type IOMMU_VIOMMU_TYPE_*
   */
  default boolean hasViommu(IommuDevice device, int type) {
    return false;
  }

  /**
   * A vDEVICE is made.
   *
   * @throws Refused why it must not be
   */
  void added(GuestDevice device);

  /** A vDEVICE that was made is destroyed. */
  void removed(GuestDevice device);

  /** Linux 7.3, which has none. */
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
