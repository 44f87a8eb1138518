package dev.iolite.tdi.guest;

import dev.iolite.tdi.layout.Kind;

/** Something that a guest can be made to ask of its VMM. */
public sealed interface GuestAsk {
  /** To bind the interface. */
  record Bind() implements GuestAsk {}

  /** To unbind it. */
  record Unbind() implements GuestAsk {}

  /**
   * To change its state.
   *
   * @param state 0 unlocked, 1 locked, 2 run
   */
  record SetState(int state) implements GuestAsk {}

  /**
   * To have its private view of MMIO checked.
   *
   * @param gpaBase where it begins
   * @param gpaTop the first address after it
   * @param physical what the report says is there
   * @param rangeId the id that the report has it with
   */
  record ValidateMmio(long gpaBase, long gpaTop, long physical, int rangeId) implements GuestAsk {}

  /**
   * To read the interface's report.
   *
   * @param gpa of the room in shared memory that it is to be put into
   * @param bytes how long the room is
   */
  record ReadReport(long gpa, long bytes) implements GuestAsk {}

  /**
   * To read the measurements of its device.
   *
   * @param gpa of the room in shared memory that they are to be put into; the first 32 bytes of it
   *     are the guest's nonce
   * @param bytes how long the room is
   */
  record ReadMeasurements(long gpa, long bytes) implements GuestAsk {}

  /**
   * To make a range of its memory private or shared.
   *
   * @param gpa where it begins
   * @param bytes how long it is
   */
  record Convert(long gpa, long bytes, Kind kind) implements GuestAsk {}
}
