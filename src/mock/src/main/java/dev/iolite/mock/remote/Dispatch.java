package dev.iolite.mock.remote;

import dev.iolite.kernel.Registers;
import dev.iolite.mock.MockKernel;
import java.util.Optional;

/** Makes the calls that arrive. */
final class Dispatch {
  private static final long FAULT = 1;

  private final MockKernel kernel;
  private final CallerMappings mappings;

  Dispatch(MockKernel kernel, CallerMappings mappings) {
    this.kernel = kernel;
    this.mappings = mappings;
  }

  Answer make(Request call) {
    return switch (call.kind()) {
      case REGISTER_READ, REGISTER_WRITE -> register(call);
      default -> new Answer(result(call), mappings.take());
    };
  }

  private long result(Request call) {
    return switch (call.kind()) {
      case OPEN -> kernel.open(call.text(), call.integer(0));
      case CLOSE -> kernel.close(call.integer(0));
      case READ -> kernel.read(call.integer(0), call.number(1), call.number(2));
      case WRITE -> kernel.write(call.integer(0), call.number(1), call.number(2));
      case PREAD -> kernel.pread(call.integer(0), call.number(1), call.number(2), call.number(3));
      case PWRITE -> kernel.pwrite(call.integer(0), call.number(1), call.number(2), call.number(3));
      case LSEEK -> kernel.lseek(call.integer(0), call.number(1), call.integer(2));
      case FTRUNCATE -> kernel.ftruncate(call.integer(0), call.number(1));
      case FALLOCATE ->
          kernel.fallocate(call.integer(0), call.integer(1), call.number(2), call.number(3));
      case ADD_SEALS -> kernel.addSeals(call.integer(0), call.integer(1));
      case IOCTL -> kernel.ioctl(call.integer(0), call.number(1), call.number(2));
      case MMAP ->
          kernel.mmap(
              call.number(0),
              call.number(1),
              call.integer(2),
              call.integer(3),
              call.integer(4),
              call.number(5));
      case MUNMAP -> kernel.munmap(call.number(0), call.number(1));
      case REGISTERS -> kernel.registers(call.number(0)).isPresent() ? 1 : 0;
      case POLL -> kernel.poll(call.number(0), call.integer(1), call.integer(2));
      case EVENTFD -> kernel.eventfd(call.integer(0), call.integer(1));
      case MEMFD -> kernel.memfdCreate(call.text(), call.integer(0));
      case READLINK -> kernel.readlink(call.text(), call.number(0), call.number(1));
      case GETDENTS -> kernel.getdents(call.integer(0), call.number(1), call.number(2));
      case INTERRUPTIBLE -> kernel.interruptible();
      case INTERRUPT -> kernel.interrupt(call.integer(0));
      case PROCESS, THREAD, REGISTER_READ, REGISTER_WRITE ->
          throw new IllegalArgumentException("not a call of a Kernel: " + call.kind());
    };
  }

  /** Accesses a mapping of registers, which may no longer exist. */
  private Answer register(Request call) {
    Optional<Registers> registers = kernel.registers(call.number(0));
    if (registers.isEmpty()) {
      return Answer.of(0, FAULT);
    }
    try {
      if (call.kind() == CallKind.REGISTER_READ) {
        return Answer.of(registers.get().read(0, call.integer(1)));
      }
      registers.get().write(0, call.integer(1), call.number(2));
      return Answer.of(0);
    } catch (InternalError e) {
      // The JVM's form of a SIGBUS, which the caller should get.
      return Answer.of(0, FAULT);
    }
  }
}
