package dev.iolite.mock.kvm;

import dev.iolite.uapi.kvm.Kvm;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A number that KVM counts for a VM or a vCPU.
 *
 * @param name the kernel's
 * @param flags its type, unit and base
 * @param exponent of the base
 * @param values how many it has: a histogram has one for each bucket
 * @param offset where its values are in the data, in bytes
 */
record Statistic(String name, int flags, int exponent, int values, int offset) {
  /** HALT_POLL_HIST_COUNT. */
  private static final int BUCKETS = 32;

  private static final int NANO = -9;

  /** arch/x86/kvm/x86.c:kvm_vm_stats_desc; the offsets are those of struct kvm_vm_stat. */
  static final List<Statistic> OF_VM = ofVm();

  /** arch/x86/kvm/x86.c:kvm_vcpu_stats_desc, whose order is that of struct kvm_vcpu_stat. */
  static final List<Statistic> OF_VCPU = ofVcpu();

  private static List<Statistic> ofVm() {
    List<Statistic> all =
        laidOut(
            Stream.of(
                counters(
                    "remote_tlb_flush",
                    "remote_tlb_flush_requests",
                    "mmu_shadow_zapped",
                    "mmu_pte_write",
                    "mmu_pde_zapped",
                    "mmu_flooded",
                    "mmu_recycled",
                    "mmu_cache_miss"),
                of(
                    Kvm.KVM_STATS_TYPE_INSTANT(),
                    "mmu_unsync",
                    "mmu_shadow_pages",
                    "pages_4k",
                    "pages_2m",
                    "pages_1g",
                    "nx_lpage_splits"),
                of(
                    Kvm.KVM_STATS_TYPE_PEAK(),
                    "max_mmu_page_hash_collisions",
                    "max_mmu_rmap_size")));
    // The last two are described in the other order.
    List<Statistic> described = new ArrayList<>(all);
    described.addLast(described.remove(all.size() - 2));
    return List.copyOf(described);
  }

  private static List<Statistic> ofVcpu() {
    return laidOut(
        Stream.of(
            counters(
                "halt_successful_poll", "halt_attempted_poll", "halt_poll_invalid", "halt_wakeup"),
            seconds(Kvm.KVM_STATS_TYPE_CUMULATIVE(), 1, "halt_poll_success_ns"),
            seconds(Kvm.KVM_STATS_TYPE_CUMULATIVE(), 1, "halt_poll_fail_ns"),
            seconds(Kvm.KVM_STATS_TYPE_CUMULATIVE(), 1, "halt_wait_ns"),
            seconds(Kvm.KVM_STATS_TYPE_LOG_HIST(), BUCKETS, "halt_poll_success_hist"),
            seconds(Kvm.KVM_STATS_TYPE_LOG_HIST(), BUCKETS, "halt_poll_fail_hist"),
            seconds(Kvm.KVM_STATS_TYPE_LOG_HIST(), BUCKETS, "halt_wait_hist"),
            truth("blocking"),
            counters(
                "pf_taken",
                "pf_fixed",
                "pf_emulate",
                "pf_spurious",
                "pf_fast",
                "pf_mmio_spte_created",
                "pf_guest",
                "tlb_flush",
                "invlpg",
                "exits",
                "io_exits",
                "mmio_exits",
                "signal_exits",
                "irq_window_exits",
                "nmi_window_exits",
                "l1d_flush",
                "halt_exits",
                "request_irq_exits",
                "irq_exits",
                "host_state_reload",
                "fpu_reload",
                "insn_emulation",
                "insn_emulation_fail",
                "hypercalls",
                "irq_injections",
                "nmi_injections",
                "req_event",
                "nested_run",
                "directed_yield_attempted",
                "directed_yield_successful",
                "preemption_reported",
                "preemption_other"),
            truth("guest_mode"),
            counters("notify_window_exits")));
  }

  private static Stream<Statistic> counters(String... names) {
    return of(Kvm.KVM_STATS_TYPE_CUMULATIVE(), names);
  }

  private static Stream<Statistic> of(int type, String... names) {
    int flags = type | Kvm.KVM_STATS_UNIT_NONE() | Kvm.KVM_STATS_BASE_POW10();
    return Stream.of(names).map(name -> new Statistic(name, flags, 0, 1, 0));
  }

  private static Stream<Statistic> seconds(int type, int values, String name) {
    int flags = type | Kvm.KVM_STATS_UNIT_SECONDS() | Kvm.KVM_STATS_BASE_POW10();
    return Stream.of(new Statistic(name, flags, NANO, values, 0));
  }

  private static Stream<Statistic> truth(String name) {
    int flags =
        Kvm.KVM_STATS_TYPE_INSTANT() | Kvm.KVM_STATS_UNIT_BOOLEAN() | Kvm.KVM_STATS_BASE_POW10();
    return Stream.of(new Statistic(name, flags, 0, 1, 0));
  }

  private static List<Statistic> laidOut(Stream<Stream<Statistic>> parts) {
    List<Statistic> all = new ArrayList<>();
    int offset = 0;
    for (Statistic each : parts.flatMap(part -> part).toList()) {
      all.add(new Statistic(each.name, each.flags, each.exponent, each.values, offset));
      offset += each.bytes();
    }
    return all;
  }

  /** The size of its values. */
  int bytes() {
    return values * Long.BYTES;
  }
}
