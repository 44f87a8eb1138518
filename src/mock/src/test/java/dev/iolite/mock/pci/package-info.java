/** Tests of the model's PCI bus and its files. */
@NullMarked
package dev.iolite.mock.pci;

import org.jspecify.annotations.NullMarked;
