/**
 * A list of what the bindings contain, for programs that show it or check it.
 *
 * <p>The lists themselves are generated together with the bindings, so that no reflection is needed
 * to find a struct by its name.
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
