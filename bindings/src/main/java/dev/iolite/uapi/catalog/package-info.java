/**
 * A list of what the bindings contain, for programs that show it or check it, and the table of
 * calls: what each ioctl and system call is, by which it is made, decoded and modelled.
 *
 * <p>The lists themselves are generated together with the bindings, so that no reflection is needed
 * to find a struct by its name. What the headers don't say of a call is in {@code
 * native-headers/calls}.
 *
 * <p>On the bindings themselves: jextract gives an ioctl number made with {@code _IO} as an {@code
 * int} and one made with {@code _IOR}, {@code _IOW} or {@code _IOWR} as a {@code long}, because
 * {@code sizeof} is in it. Neither is ever negative ({@code KVM_CREATE_GUEST_MEMFD} is {@code
 * 0xc040aed4L}), so a parameter of type {@code long} takes both as they are. Any other {@code
 * unsigned int} arrives as an {@code int} with the same bits.
 */
@NullMarked
package dev.iolite.uapi.catalog;

import org.jspecify.annotations.NullMarked;
