package dev.iolite.mock.remote;

import dev.iolite.kernel.Registers;

/** Registers of a device of a {@link MockHost}, mapped at an address of this process. */
record RemoteRegisters(Connections connections, long address) implements Registers {
  @Override
  public long read(long offset, int bytes) {
    return answered(CallKind.REGISTER_READ, address + offset, bytes);
  }

  @Override
  public void write(long offset, int bytes, long value) {
    answered(CallKind.REGISTER_WRITE, address + offset, bytes, value);
  }

  private long answered(CallKind kind, long... numbers) {
    Answer answer = connections.call(Request.of(kind, numbers));
    if (!answer.extra().isEmpty()) {
      throw new InternalError("a fault occurred in an unsafe memory access operation");
    }
    return answer.result();
  }
}
