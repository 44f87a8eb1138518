/**
 * Which bytes of a device's BARs belong to the guest alone and which are shared, from the
 * interface's report, the kernel or a file. Nothing here makes a call.
 */
@NullMarked
package dev.iolite.tdi.layout;

import org.jspecify.annotations.NullMarked;
