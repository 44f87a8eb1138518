/**
 * The guest's side of an assignment: agents that make it act, the requests that it makes to its
 * VMM, and the machine code of the rehearsal's guest.
 */
@NullMarked
package dev.iolite.tdi.guest;

import org.jspecify.annotations.NullMarked;
