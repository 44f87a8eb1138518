package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Attribute;
import dev.iolite.mock.core.Node;
import dev.iolite.mock.core.Tree;
import java.util.Locale;

/**
 * The parameters of the module kvm, in {@code /sys/module/kvm/parameters}, with their default
 * values. A written value is kept, but does not change the model's KVM.
 */
final class KvmParameters {
  private static final String DIRECTORY = "/sys/module/kvm/parameters/";
  private static final String[] FIXED_BOOLEANS = {
    "allow_unsafe_mappings=N",
    "enable_pmu=Y",
    "enable_virt_at_load=Y",
    "enable_vmware_backdoor=N",
    "lapic_timer_advance=Y",
    "mitigate_smt_rsb=N",
    "mmio_caching=Y",
    "tdp_mmu=Y",
    "vector_hashing=Y"
  };
  private static final String[] BOOLEANS = {
    "eager_page_split=Y",
    "flush_on_reuse=N",
    "ignore_msrs=N",
    "nx_huge_pages=N",
    "pi_inject_timer=N",
    "report_ignored_msrs=Y"
  };
  private static final String[] NUMBERS = {
    "force_emulation_prefix=0",
    "halt_poll_ns=200000",
    "halt_poll_ns_grow=2",
    "halt_poll_ns_grow_start=10000",
    "halt_poll_ns_shrink=0",
    "min_timer_period_us=200",
    "nx_huge_pages_recovery_period_ms=0",
    "nx_huge_pages_recovery_ratio=60",
    "tsc_tolerance_ppm=250"
  };

  private String value;

  private KvmParameters(String value) {
    this.value = value;
  }

  static void addTo(Tree tree) {
    for (String parameter : FIXED_BOOLEANS) {
      tree.add(path(parameter), new Node.Text(Attribute.readable(() -> initial(parameter))));
    }
    for (String parameter : BOOLEANS) {
      KvmParameters kept = new KvmParameters(initial(parameter));
      tree.add(path(parameter), new Node.Text(Attribute.of(() -> kept.value, kept::setBoolean)));
    }
    for (String parameter : NUMBERS) {
      KvmParameters kept = new KvmParameters(initial(parameter));
      tree.add(path(parameter), new Node.Text(Attribute.of(() -> kept.value, kept::setNumber)));
    }
  }

  private static String path(String parameter) {
    return DIRECTORY + parameter.substring(0, parameter.indexOf('='));
  }

  private static String initial(String parameter) {
    return parameter.substring(parameter.indexOf('=') + 1);
  }

  /** lib/kstrtox.c:kstrtobool. */
  private void setBoolean(String text) {
    String lower = text.toLowerCase(Locale.ROOT);
    boolean on = lower.matches("[yt1].*|on.*");
    refuseIf(!on && !lower.matches("[nf0].*|of.*"), Errno.EINVAL);
    value = on ? "Y" : "N";
  }

  /** lib/kstrtox.c:kstrtouint. */
  private void setNumber(String text) {
    try {
      value = Integer.toUnsignedString(Integer.parseUnsignedInt(text));
    } catch (NumberFormatException e) {
      throw refused(Errno.EINVAL);
    }
  }
}
