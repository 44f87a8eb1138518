package dev.iolite.tdi.guest;

import dev.iolite.tdi.layout.Kind;

/** Something that a guest can be made to request from its VMM. */
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
   * @param rangeId the id that it has in the report
   */
  record ValidateMmio(long gpaBase, long gpaTop, long physical, int rangeId) implements GuestAsk {}

  /**
   * To read the interface's report.
   *
   * @param gpa the address of the room for it in shared memory
   * @param bytes the length of the room
   */
  record ReadReport(long gpa, long bytes) implements GuestAsk {}

  /**
   * To read the measurements of its device.
   *
   * @param gpa the address of the room for them in shared memory; its first 32 bytes are the
   *     guest's nonce
   * @param bytes the length of the room
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
