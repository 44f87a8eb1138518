package dev.iolite.doctor;

import dev.iolite.kernel.HostPlatform;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Remedy;
import dev.iolite.kvm.HelloGuest;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.KvmInfo;
import dev.iolite.kvm.VfioKvmDevice;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmType;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Checks KVM, and the types of VM that it can make. */
final class KvmChecks {
  private static final String GREETING = "hello";
  private static final Duration DEADLINE = Duration.ofSeconds(30);
  private static final Set<VmType> CONFIDENTIAL_IO = Set.of(VmType.TDX, VmType.SNP);

  private final Kernel kernel;
  private final HostPlatform platform;

  KvmChecks(Kernel kernel, HostPlatform platform) {
    this.kernel = kernel;
    this.platform = platform;
  }

  Finding kvm() {
    Need need =
        new Need(
            "KVM",
            Finding.Status.MISSING,
            new Need.Codes(FindingCode.NO_KVM, FindingCode.KVM_FORBIDDEN, FindingCode.KVM_FAILED),
            "guests run on it",
            platform.kvm());
    return need.attempt(() -> {
      try (Kvm kvm = Kvm.open(kernel);
          Vm vm = kvm.createVm(VmType.DEFAULT);
          VfioKvmDevice _ = vm.createVfioDevice()) {
        if (platform == HostPlatform.OTHER) {
          return need.lacks(
              FindingCode.KVM_UNTRIED,
              Kvm.PATH + " makes VMs; no guest was tried, this is no x86",
              "use an x86-64 host");
        }
        HelloGuest.Result guest = HelloGuest.run(kernel, GREETING, DEADLINE);
        String made =
            Kvm.PATH + " makes a VM and its VFIO device; a guest wrote '" + guest.text() + "'";
        return guest.text().equals(GREETING)
            ? need.ok(made)
            : need.lacks(
                FindingCode.KVM_GUEST_WRONG,
                made + " instead of '" + GREETING + "'",
                "run the guest alone",
                Remedy.RUN_GUEST);
      }
    });
  }

  Finding vmTypes() {
    Need need =
        new Need(
            "confidential VMs",
            Finding.Status.OPTIONAL,
            Need.Codes.ofFiles(FindingCode.NO_CONFIDENTIAL_VM, FindingCode.VM_TYPES_UNREAD),
            "neither TDX nor SEV-SNP guests can be made here",
            platform.confidential());
    return need.look(() -> {
      List<KvmInfo.Type> types =
          KvmInfo.of(kernel).types().stream().filter(KvmInfo.Type::offered).toList();
      String found = types.stream().map(KvmChecks::describe).collect(Collectors.joining(", "));
      return types.stream()
              .filter(KvmInfo.Type::works)
              .map(KvmInfo.Type::type)
              .anyMatch(CONFIDENTIAL_IO::contains)
          ? need.ok(found)
          : need.absent("only " + found);
    });
  }

  private static String describe(KvmInfo.Type type) {
    return type.failure()
        .map(errno -> type.type() + " (none left or none available: " + errno + ")")
        .orElse(type.type().name());
  }
}
