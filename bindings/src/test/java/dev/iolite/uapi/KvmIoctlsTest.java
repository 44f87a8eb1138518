package dev.iolite.uapi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.catalog.UapiCatalog;
import dev.iolite.uapi.catalog.UapiConstant;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class KvmIoctlsTest {
  /** The type of KVM's ioctl numbers, KVMIO. */
  private static final int KVMIO = 0xae;

  /** Commands of other architectures, and KVM_GET_NR_MMU_PAGES, which x86 no longer answers. */
  private static final Set<String> NOT_HERE =
      Set.of(
          "KVM_ARM_SET_DEVICE_ADDR",
          "KVM_ARM_VCPU_FINALIZE",
          "KVM_DIRTY_TLB",
          "KVM_GET_NR_MMU_PAGES",
          "KVM_PPC_ALLOCATE_HTAB",
          "KVM_PPC_GET_COMPAT_CAPS",
          "KVM_PPC_SVM_OFF",
          "KVM_S390_CLEAR_RESET",
          "KVM_S390_ENABLE_SIE",
          "KVM_S390_INITIAL_RESET",
          "KVM_S390_KEYOP",
          "KVM_S390_NORMAL_RESET",
          "KVM_S390_STORE_STATUS",
          "KVM_S390_VCPU_FAULT");

  @Test
  void eachKindAndNumberIsThereOnce() {
    assertThat(KvmIoctls.all())
        .extracting(command -> command.on() + " " + command.number())
        .doesNotHaveDuplicates();
  }

  @Test
  void everyCommandOfTheHeaderIsThere() {
    Set<String> known =
        KvmIoctls.all().stream().map(Ioctl::name).collect(Collectors.toUnmodifiableSet());
    Set<String> header =
        UapiCatalog.constants().stream()
            .filter(KvmIoctlsTest::isCommand)
            .map(UapiConstant::name)
            .collect(Collectors.toUnmodifiableSet());

    assertThat(known).isSubsetOf(header);
    assertThat(header)
        .filteredOn(name -> !known.contains(name))
        .containsExactlyInAnyOrderElementsOf(NOT_HERE);
  }

  private static boolean isCommand(UapiConstant constant) {
    return constant.packageName().equals("kvm")
        && constant.name().startsWith("KVM_")
        && (constant.value() >> 8 & 0xff) == KVMIO;
  }
}
