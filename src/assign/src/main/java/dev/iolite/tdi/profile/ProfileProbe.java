package dev.iolite.tdi.profile;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.Advice;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import dev.iolite.tsm.Profile;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_op;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_req;
import dev.iolite.uapi.tsmintelrfc2025.TsmIntelRfc2025;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import dev.iolite.uapi.tsmv6.TsmV6;
import dev.iolite.vfio.BoundVfioDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds out which profile a kernel has, by calls that the kernel refuses because of their size,
 * before it looks at what they ask for.
 *
 * <p>The contract is that of iommufd's dispatcher
 * (drivers/iommu/iommufd/main.c:iommufd_fops_ioctl), the same for every command:
 *
 * <ul>
 *   <li>ENOTTY: there is no command with this number
 *   <li>EINVAL, for a struct that says it has 0 bytes: there is such a command, whatever it is
 *   <li>E2BIG, for a struct with ones after the last byte that the kernel knows: the maximum length
 *       of the kernel's struct. The kernel may look at a struct that is not longer than its own, so
 *       the struct has ones everywhere: ids that no object has, and flags that no command has
 * </ul>
 *
 * <p>A number counts as a proposal's if its struct has the proposal's length. Those above 0x95
 * (IOMMU_IOAS_NOIOMMU_GET_PA, the last that 7.3 has) are tried; 0x95 and 0x94, which two proposals
 * use, are never sent: arm-v5 is recognized by the length of its other command, 0x96. On a VFIO
 * device, the number 0x3b7a, which 7.3 does not have (ENOTTY), is tried with a struct that says it
 * has 0 bytes, which is answered with EINVAL.
 */
public final class ProfileProbe {
  private static final int OP_BYTES = (int) iommu_vdevice_tsm_op.sizeof();
  private static final int REQ_BYTES = (int) iommu_vdevice_tsm_req.sizeof();

  /** The length of arm-v5's request, which has no code of the TSM. */
  private static final int SCOPED_REQ_BYTES = REQ_BYTES - Long.BYTES;

  /**
   * The lengths of structs are multiples of this, so that the next length up or down is another
   * struct's.
   */
  private static final int STEP = Long.BYTES;

  /** The struct sent to numbers whose structs are not known yet. */
  private static final MemoryLayout STRUCT =
      MemoryLayout.sequenceLayout(REQ_BYTES + STEP, ValueLayout.JAVA_BYTE);

  /**
   * What was found.
   *
   * @param profile {@link Profile#MAINLINE_7_3} if no proposal's calls are there
   * @param calls the calls and their answers, in order
   */
  public record Found(Profile profile, List<String> calls) {
    /** Copies the list. */
    public Found {
      calls = List.copyOf(calls);
    }
  }

  private final Fd iommufd;
  private final Fd device;
  private final List<String> calls = new ArrayList<>();

  private ProfileProbe(Fd iommufd, Fd device) {
    this.iommufd = iommufd;
    this.device = device;
  }

  /**
   * Asks a kernel which profile it has. Changes nothing.
   *
   * @param iommufd any iommufd
   * @param device any device that is bound; one that is not answers EINVAL to everything
   */
  public static Found probe(Iommufd iommufd, BoundVfioDevice device) {
    ProfileProbe probe = new ProfileProbe(iommufd.fd(), device.fd());
    return new Found(probe.find(), probe.calls);
  }

  /**
   * Asks an iommufd which profile its kernel has, before there is a device. Changes nothing.
   *
   * @return empty if no proposal's calls are there; a proposal without calls on iommufd is not
   *     found
   */
  public static Optional<Profile> probe(Iommufd iommufd) {
    return new ProfileProbe(iommufd.fd(), iommufd.fd()).findOnIommufd();
  }

  /**
   * Makes sure that a kernel has a profile, before its calls are made.
   *
   * @throws PreconditionException if it has another
   */
  public static void require(Profile wanted, Iommufd iommufd, BoundVfioDevice device) {
    Found found = probe(iommufd, device);
    if (found.profile == wanted || wanted == Profile.MAINLINE_7_3) {
      return;
    }
    throw new PreconditionException(
        "use the UAPI profile " + wanted,
        "the kernel has " + found.profile + " (" + String.join("; ", found.calls) + ")",
        new Advice(
            wanted == Profile.ARM_V5
                ? "the number 0x95, by which it binds, is IOMMU_IOAS_NOIOMMU_GET_PA of this kernel"
                : "the kernel was built without the proposal, or with another revision of it",
            "use the profile " + found.profile + ", or boot a kernel that has " + wanted,
            Remedy.CHOOSE_PROFILE,
            List.of(found.profile.toString(), wanted.toString())));
  }

  private Profile find() {
    return findOnIommufd().orElseGet(this::findOnDevice);
  }

  private Optional<Profile> findOnIommufd() {
    if (is(TsmSeed2025.IOMMU_VDEVICE_TSM_REQ(), REQ_BYTES)
        && is(TsmSeed2025.IOMMU_VDEVICE_TSM_OP(), OP_BYTES)) {
      return Optional.of(Profile.SEED_2025);
    }
    int shared = TsmV6.IOMMU_VDEVICE_TSM_OP();
    if (is(TsmV6.IOMMU_VDEVICE_TSM_REQ(), REQ_BYTES) && is(shared, OP_BYTES)) {
      return Optional.of(Profile.V6);
    }
    if (exists(shared)) {
      if (hasLength(shared, REQ_BYTES)) {
        return Optional.of(Profile.CCA_V7);
      }
      if (hasLength(shared, SCOPED_REQ_BYTES)) {
        return Optional.of(Profile.ARM_V5);
      }
    }
    return Optional.empty();
  }

  private Profile findOnDevice() {
    Ioctl bind = of(FdKind.VFIO_DEVICE, TsmIntelRfc2025.VFIO_DEVICE_TSM_BIND());
    return ask(device, bind, 0, 0) == Errno.EINVAL.negated()
        ? Profile.INTEL_RFC_2025
        : Profile.MAINLINE_7_3;
  }

  /** Whether an iommufd has a command with a number and a struct of this length. */
  static boolean hasCommand(Iommufd iommufd, int number, int bytes) {
    return new ProfileProbe(iommufd.fd(), iommufd.fd()).is(number, bytes);
  }

  private boolean is(int number, int bytes) {
    return exists(number) && hasLength(number, bytes);
  }

  private boolean exists(int number) {
    return ask(iommufd, of(FdKind.IOMMUFD, number), 0, 0) == Errno.EINVAL.negated();
  }

  /** Whether a longer struct is too long, and a slightly shorter one is not. */
  private boolean hasLength(int number, int bytes) {
    Ioctl command = of(FdKind.IOMMUFD, number);
    int tooLong = Errno.E2BIG.negated();
    return ask(iommufd, command, bytes + STEP, -1) == tooLong
        && ask(iommufd, command, bytes - STEP + 1, -1) != tooLong;
  }

  private static Ioctl of(FdKind kind, int number) {
    return Ioctl.of(kind, "0x" + Integer.toHexString(number), number, STRUCT)
        .answering("an answer of a command that is not known yet");
  }

  /**
   * Makes a call with a struct that says how long it is.
   *
   * @param fill the value of its other bytes
   */
  private int ask(Fd fd, Ioctl command, int bytes, int fill) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment struct = arena.allocate(REQ_BYTES + STEP, Long.BYTES).fill((byte) fill);
      struct.set(ValueLayout.JAVA_INT, 0, bytes);
      int result = fd.tryIoctl(command, struct);
      calls.add(
          "%s %s of %d bytes: %s"
              .formatted(
                  fd.kind(), command.name(), bytes, result < 0 ? Errno.of(-result) : result));
      return result;
    }
  }
}
