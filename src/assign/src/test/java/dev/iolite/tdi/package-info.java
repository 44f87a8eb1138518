/** The assignment of a TDI on models of TDX and SEV hosts. */
@NullMarked
package dev.iolite.tdi;

import org.jspecify.annotations.NullMarked;
