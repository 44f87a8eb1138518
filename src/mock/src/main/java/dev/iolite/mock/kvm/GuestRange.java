package dev.iolite.mock.kvm;

/**
 * A range of guest-physical addresses and what a guest reaches there.
 *
 * @param gpa the first address
 * @param bytes its length
 * @param isPrivate whether private accesses reach it; otherwise shared ones do
 * @param slot the slot's number, with the address space in its upper half; -1: it is not in a slot
 * @param behind what is behind it, as text for people
 */
public record GuestRange(long gpa, long bytes, boolean isPrivate, int slot, String behind) {
  @Override
  public String toString() {
    return "0x%x-0x%x %s %s".formatted(gpa, gpa + bytes, isPrivate ? "private" : "shared", behind);
  }
}
