package dev.iolite.mock.iommufd;

import dev.iolite.mock.core.GuestDeviceCalls;
import dev.iolite.uapi.iommufd.Iommufd;
import org.jspecify.annotations.Nullable;

/**
 * The commands of a kernel by number: those of 7.3, and those that a proposal puts in their place.
 */
final class CommandTable {
  private static final int NUMBER_MASK = 0xff;

  /**
   * The last number of the table: that of IOMMU_TEST_CMD, which the lab's kernel has and the model
   * does not. Its effect is visible: the argument's size is also read for numbers above the last
   * command.
   */
  private static final int LAST = Iommufd.IOMMUFD_CMD_BASE() + 32;

  /** A gap in the table. No request equals its number, so none leads here. */
  private static final Command HOLE = new Command(0, Integer.BYTES, Integer.BYTES, _ -> {});

  private final @Nullable Command[] byNumber = new Command[NUMBER_MASK + 1];
  private final GuestDeviceCalls calls;

  CommandTable(GuestDeviceCalls calls) {
    this.calls = calls;
    for (GuestDeviceCalls.Command call : calls.commands()) {
      Command command =
          Command.of(
              call.ioctl(), call.lastField(), ucmd -> ucmd.setResult(call.body().execute(ucmd)));
      byNumber[command.number() & NUMBER_MASK] = command;
    }
  }

  /** The command with the number of this request; null: there is none. */
  @Nullable Command of(int request) {
    int number = request & NUMBER_MASK;
    Command known = byNumber[number];
    if (known == null && number >= Iommufd.IOMMUFD_CMD_BASE() && number <= LAST) {
      known = Commands.find((Iommufd.IOMMUFD_TYPE() << Byte.SIZE) | number).orElse(HOLE);
      byNumber[number] = known;
    }
    return known;
  }

  /** Who is notified of vDEVICEs. */
  GuestDeviceCalls calls() {
    return calls;
  }
}
