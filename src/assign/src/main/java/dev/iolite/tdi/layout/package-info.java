/**
 * Which bytes of a device's BARs are the guest's alone and which are shared: from the interface's
 * report, from the kernel, or from a file. Nothing here makes a call.
 */
@NullMarked
package dev.iolite.tdi.layout;

import org.jspecify.annotations.NullMarked;
