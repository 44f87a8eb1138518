package dev.iolite.kvm;

/**
 * What the secure processor says about a guest.
 *
 * @param handle its number
 * @param policy its policy, as it was started with
 * @param state its state
 */
public record SevGuestStatus(int handle, int policy, SevGuestState state) {}
