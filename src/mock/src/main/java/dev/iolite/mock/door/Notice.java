package dev.iolite.mock.door;

import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.seccomp.Seccomp;
import dev.iolite.uapi.seccomp.seccomp_data;
import dev.iolite.uapi.seccomp.seccomp_notif;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.LongStream;

/**
 * A system call of the program that waits for its answer.
 *
 * @param id what the kernel calls it
 * @param thread the program's thread that makes it
 * @param number which system call it is
 */
record Notice(long id, int thread, int number, List<Long> arguments) {
  private static final int ARGUMENTS = 6;

  static Notice of(MemorySegment notif) {
    MemorySegment data = seccomp_notif.data(notif);
    return new Notice(
        seccomp_notif.id(notif),
        seccomp_notif.pid(notif),
        seccomp_data.nr(data),
        LongStream.range(0, ARGUMENTS).mapToObj(i -> seccomp_data.args(data, i)).toList());
  }

  /** Whether it may take as long as the program likes: a guest runs. */
  boolean mayBlock() {
    return number == Seccomp.__NR_ioctl() && integer(1) == Kvm.KVM_RUN();
  }

  long argument(int index) {
    return arguments.get(index);
  }

  int integer(int index) {
    return (int) argument(index);
  }
}
