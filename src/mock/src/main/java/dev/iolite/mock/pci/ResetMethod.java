package dev.iolite.mock.pci;

import java.util.Arrays;
import java.util.Optional;

/** The methods by which the kernel resets a function (drivers/pci/pci.c:pci_reset_fn_methods). */
enum ResetMethod {
  DEVICE_SPECIFIC("device_specific"),
  ACPI("acpi"),
  FLR("flr"),
  AF_FLR("af_flr"),
  PM("pm"),
  BUS("bus"),
  CXL_BUS("cxl_bus");

  private final String word;

  ResetMethod(String word) {
    this.word = word;
  }

  String word() {
    return word;
  }

  static Optional<ResetMethod> of(String word) {
    return Arrays.stream(values()).filter(method -> method.word.equals(word)).findFirst();
  }
}
