package dev.iolite.uapi.catalog;

/**
 * A constant of the kernel's headers: an object-like macro with a number, or an enum constant.
 *
 * @param packageName the last part of the binding's package: {@code vfio}, {@code iommufd}, {@code
 *     kvm}, {@code dmabuf}, {@code libc} or {@code seccomp}
 * @param name the name in C
 * @param value the value in C, extended to 64 bits as C does it: an {@code unsigned int} is never
 *     negative here, although jextract's accessor returns it as an {@code int}. An unsigned 64-bit
 *     value above 2<sup>63</sup> - 1 keeps its bits and is negative, as in {@link
 *     Long#toUnsignedString(long)}
 */
public record UapiConstant(String packageName, String name, long value) {}
