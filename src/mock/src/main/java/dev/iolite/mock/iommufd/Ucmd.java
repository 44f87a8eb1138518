package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.GuestDevice;
import dev.iolite.mock.core.GuestDeviceCalls;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.UserStruct;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A call on a context and its argument (struct iommufd_ucmd). */
final class Ucmd implements GuestDeviceCalls.Call {
  private final IommufdFile context;
  private final Task task;
  private MemorySegment argument = MemorySegment.NULL;
  private long address;
  private long userBytes;
  private int result;

  Ucmd(IommufdFile context, Task task) {
    this.context = context;
    this.task = task;
  }

  IommufdFile context() {
    return context;
  }

  Task task() {
    return task;
  }

  /** What the ioctl returns. */
  int result() {
    return result;
  }

  void setResult(int returned) {
    result = returned;
  }

  @Override
  public GuestDevice guestDevice(int id) {
    return context.guestDevice(id);
  }

  /** The address of the caller's struct. */
  long address() {
    return address;
  }

  /** The struct as the model knows it, with zeros where the caller's was shorter. */
  @Override
  public MemorySegment argument() {
    return argument;
  }

  /**
   * Reads the argument of a call (main.c:iommufd_fops_ioctl): its size, which must be there, the
   * command's number, the size again, the bytes beyond what is known, the struct.
   *
   * @throws Refused EFAULT, ENOTTY, EINVAL, E2BIG, in this order
   */
  void read(Command command, int request, long from) {
    address = from;
    result = 0;
    if (command.number() != request || !readWhole(command)) {
      readWithCare(command, request);
    }
  }

  /** The usual case, in one copy: the caller's struct is as long as ours. */
  private boolean readWhole(Command command) {
    try {
      argument = task.in(address, command.bytes());
    } catch (Refused e) {
      return false;
    }
    userBytes = Integer.toUnsignedLong(argument.get(ValueLayout.JAVA_INT, 0));
    return userBytes == command.bytes();
  }

  private void readWithCare(Command command, int request) {
    userBytes =
        Integer.toUnsignedLong(task.in(address, Integer.BYTES).get(ValueLayout.JAVA_INT, 0));
    refuseIf(command.number() != request, Errno.ENOTTY);
    refuseIf(userBytes < command.leastBytes(), Errno.EINVAL);
    argument = UserStruct.copy(task, address, userBytes, command.bytes());
  }

  /**
   * Copies the struct back to the caller, as much of it as the caller has room for
   * (iommufd_ucmd_respond).
   *
   * @throws Refused EFAULT
   */
  @Override
  public void respond() {
    task.out(address, argument.asSlice(0, Math.min(userBytes, argument.byteSize())));
  }
}
