/**
 * iommufd: I/O address spaces, their mappings, and what the IOMMU can do.
 *
 * <p>{@link dev.iolite.iommufd.Iommufd} is {@code /dev/iommu}, {@link dev.iolite.iommufd.Ioas} an
 * address space in it, {@link dev.iolite.iommufd.IovaMapping} a mapping in an address space. Each
 * closes what it made.
 *
 * <p>Records, enums and exceptions never change: they are safe for use by several threads. Every
 * other type says which threads may use it.
 */
@NullMarked
package dev.iolite.iommufd;

import org.jspecify.annotations.NullMarked;
