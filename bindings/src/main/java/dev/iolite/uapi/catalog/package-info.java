/**
 * A list of what the bindings contain, for programs that show it or check it, and the table of
 * calls. The table describes each ioctl and system call; calls are made, decoded and modelled from
 * it.
 *
 * <p>The lists themselves are generated together with the bindings, so that no reflection is needed
 * to find a struct by its name. What the headers do not say about a call is in {@code
 * native-headers/calls}.
 *
 * <p>About the bindings themselves: jextract gives an ioctl number made with {@code _IO} as an
 * {@code int} and one made with {@code _IOR}, {@code _IOW} or {@code _IOWR} as a {@code long},
 * because it contains {@code sizeof}. Neither is ever negative ({@code KVM_CREATE_GUEST_MEMFD} is
 * {@code 0xc040aed4L}), so both can be passed as they are to a parameter of type {@code long}. Any
 * other {@code unsigned int} arrives as an {@code int} with the same bits.
 */
@NullMarked
package dev.iolite.uapi.catalog;

import org.jspecify.annotations.NullMarked;
