package dev.iolite.mock.kvm;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.LongPredicate;

/**
 * A guest as a list of steps, for a vCPU whose state the VM's owner can't set: its first
 * instruction is the first step. After the last step, it halts forever.
 *
 * <p>What a step reads is handed to a consumer, which is called under the kernel's lock: it may
 * record the value, but must not make a call on the kernel. A step that expects a value and reads
 * another ends the guest: a trust domain reports a fatal error, an SEV guest requests its
 * termination, and any other guest has a triple fault.
 *
 * @param steps the steps, in order
 */
public record GuestScript(List<GuestStep> steps) {
  /** Copies the list. */
  public GuestScript {
    steps = List.copyOf(steps);
  }

  /** Begins a script. */
  public static Builder builder() {
    return new Builder();
  }

  /** Makes a script, step by step. */
  public static final class Builder {
    private final List<GuestStep> steps = new ArrayList<>();

    private Builder() {}

    /** Adds any step. */
    public Builder step(GuestStep step) {
      steps.add(step);
      return this;
    }

    /**
     * Reads shared memory, or a device's registers.
     *
     * @param gpa the guest-physical address, without a bit that says how it is accessed
     * @param bytes 1, 2, 4 or 8
     * @param value receives what was read, zero-extended
     */
    public Builder readShared(long gpa, int bytes, LongConsumer value) {
      return step(new GuestStep.Read(false, gpa, bytes, accept(value)));
    }

    /** Reads private memory; the parameters are those of {@link #readShared}. */
    public Builder readPrivate(long gpa, int bytes, LongConsumer value) {
      return step(new GuestStep.Read(true, gpa, bytes, accept(value)));
    }

    private static LongPredicate accept(LongConsumer value) {
      return read -> {
        value.accept(read);
        return true;
      };
    }

    /** Reads shared memory and ends the guest if the value is different. */
    public Builder expectShared(long gpa, int bytes, long value) {
      return step(new GuestStep.Read(false, gpa, bytes, read -> read == value));
    }

    /** Reads private memory and ends the guest if the value is different. */
    public Builder expectPrivate(long gpa, int bytes, long value) {
      return step(new GuestStep.Read(true, gpa, bytes, read -> read == value));
    }

    /** Writes shared memory, or a device's registers. */
    public Builder writeShared(long gpa, int bytes, long value) {
      return step(new GuestStep.Write(false, gpa, bytes, value));
    }

    /** Writes private memory. */
    public Builder writePrivate(long gpa, int bytes, long value) {
      return step(new GuestStep.Write(true, gpa, bytes, value));
    }

    /** Writes to an I/O port. */
    public Builder out(int port, int bytes, int value) {
      return step(new GuestStep.Out(port, bytes, value));
    }

    /** Reads from an I/O port. */
    public Builder in(int port, int bytes, LongConsumer value) {
      return step(new GuestStep.In(port, bytes, accept(value)));
    }

    /**
     * Asks for a range to be made private or shared, in the way of the VM's type: the TDVMCALL
     * MapGPA, the GHCB's page state change, or the hypercall.
     *
     * @param result receives the answer: 0 if it was done
     */
    public Builder mapGpa(long gpa, long bytes, boolean isPrivate, LongConsumer result) {
      return step(new GuestStep.MapGpa(gpa, bytes, isPrivate, result));
    }

    /** Makes a hypercall with up to three arguments (VMCALL, VMMCALL). */
    public Builder hypercall(long number, LongConsumer result, long... arguments) {
      return step(new GuestStep.Hypercall(number, List.of(box(arguments)), result));
    }

    private static Long[] box(long[] values) {
      Long[] boxed = new Long[values.length];
      for (int i = 0; i < values.length; i++) {
        boxed[i] = values[i];
      }
      return boxed;
    }

    /**
     * Makes a TDVMCALL; in a VM of another type it ends the guest.
     *
     * @param leaf its number
     * @param result receives R10 (the status) and R11 to R14
     * @param arguments R12 to R15, as many as it needs
     */
    public Builder tdVmCall(long leaf, Consumer<List<Long>> result, long... arguments) {
      return step(new GuestStep.TdVmCall(leaf, List.of(box(arguments)), result));
    }

    /** Exits in a way that is unknown to KVM but part of a proposed UAPI. */
    public Builder leave(GuestExit exit) {
      return step(new GuestStep.Leave(exit));
    }

    /** Halts until an interrupt, or forever; exits if there is no interrupt controller. */
    public Builder halt() {
      return step(new GuestStep.Halt());
    }

    /** Ends the guest, as an unexpected value does. */
    public Builder terminate() {
      return step(new GuestStep.Terminate());
    }

    /** Continues at a step, counted from 0. */
    public Builder goTo(int step) {
      return step(new GuestStep.GoTo(step));
    }

    /** Builds the script. */
    public GuestScript build() {
      return new GuestScript(steps);
    }
  }
}
