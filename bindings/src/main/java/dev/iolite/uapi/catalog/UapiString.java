package dev.iolite.uapi.catalog;

/**
 * A constant of the kernel's headers that is a text, such as {@code VFIO_DEVICE_API_PCI_STRING}.
 *
 * @param packageName the last part of the binding's package: {@code vfio}, {@code iommufd}, {@code
 *     kvm}, {@code dmabuf}, {@code libc} or {@code seccomp}
 * @param name the name in C
 * @param value the text
 */
public record UapiString(String packageName, String name, String value) {}
