package dev.iolite.kernel;

import org.jspecify.annotations.Nullable;

/**
 * Advice on errors of the sub-commands that launch a confidential VM. See
 * arch/x86/kvm/svm/sev.c:__sev_guest_init, sev_asid_new, arch/x86/kvm/vmx/tdx.c:__tdx_td_init.
 */
final class LaunchAdvice {
  private LaunchAdvice() {}

  static @Nullable Advice known(String call, Errno errno) {
    if (call.startsWith("KVM_TDX_")) {
      return call.equals("KVM_TDX_INIT_VM") && errno != Errno.EINVAL
          ? newDomain(errno)
          : tdx(errno);
    }
    if (call.startsWith("KVM_SEV_")) {
      return call.contains("INIT") ? newSev(errno) : sev(errno);
    }
    return null;
  }

  private static @Nullable Advice newDomain(Errno errno) {
    return switch (errno) {
      case ENOSPC ->
          new Advice(
              "no private key (HKID) is left for another trust domain",
              "stop another one; the firmware sets how many there are (TME-MT keys for TDX)");
      case EBUSY ->
          new Advice(
              "the cgroup's limit of trust domains (tdx in misc.max) is reached, or the TDX module"
                  + " is busy",
              "raise the limit, or stop another domain of the cgroup; else try again");
      case EAGAIN ->
          new Advice(
              "the processor had no random number for the key at the moment",
              "try again a little later");
      default -> tdx(errno);
    };
  }

  private static @Nullable Advice tdx(Errno errno) {
    return switch (errno) {
      case EINVAL ->
          new Advice(
              "the trust domain is not in the state for it, or it may not be configured so",
              "initialize it once, before its vCPUs; compare with KVM_TDX_CAPABILITIES");
      case EBUSY -> new Advice("the TDX module is busy, or there are vCPUs already", "try again");
      case EIO ->
          new Advice(
              "the TDX module refused, with hw_error as its status, and the VM may be dead; if that"
                  + " is 0, a package has no processor online",
              "dmesg has the SEAMCALL; close the VM");
      case ENOTTY, EOPNOTSUPP ->
          new Advice(
              "KVM has no TDX",
              "enable it in the firmware, and boot with kvm_intel.tdx=1",
              Remedy.CHECK_HOST);
      default -> null;
    };
  }

  private static @Nullable Advice newSev(Errno errno) {
    return switch (errno) {
      case EBUSY ->
          new Advice(
              "no ASID is left for another VM of this type, or the cgroup's limit of them (sev_es"
                  + " in misc.max) is reached",
              "stop another SEV VM; the firmware sets how many ASIDs SEV-SNP has (minimum SEV"
                  + " ASID)");
      case ENODEV ->
          new Advice(
              "the secure processor is not there: its driver, ccp, is not loaded, found none that"
                  + " does SEV, or could not start its firmware",
              "modprobe ccp; dmesg has the driver's reason; enable SEV-SNP in the firmware");
      case ENOTTY ->
          new Advice(
              "KVM has no SEV of this type, or the firmware set no ASID aside for it",
              "enable it in the firmware, for SEV-ES and SEV-SNP with ASIDs (minimum SEV ASID above"
                  + " 1), and load kvm_amd with sev=1, sev_es=1 or sev_snp=1");
      case EINVAL ->
          new Advice(
              "the VM has vCPUs or is initialized already or of another type, or this KVM lacks"
                  + " what was asked for",
              "initialize it once, before its vCPUs");
      default -> sev(errno);
    };
  }

  private static @Nullable Advice sev(Errno errno) {
    return switch (errno) {
      case EIO ->
          new Advice(
              "the secure processor refused, with error as its status; INVALID_GUEST_STATE is a"
                  + " command out of order, POLICY_FAILURE one that the guest's policy forbids",
              "compare with the guest's status; dmesg has the ccp driver's reason");
      case ETIMEDOUT ->
          new Advice(
              "the secure processor did not answer, and its driver gave it up until the next boot",
              "dmesg has the command; reboot");
      case EPERM ->
          new Advice(
              "the VM has SEV-SNP, whose commands are others", "use those of its launch instead");
      case EBADF ->
          new Advice(
              "the guest is not started, or the descriptor of /dev/sev was closed since",
              "start it first, and keep /dev/sev open until the VM is closed");
      case EINVAL ->
          new Advice(
              "the VM's launch is not in the state for it, it mirrors another VM, or what was given"
                  + " has a size that the call does not have",
              "keep the order of the launch, and compare with the call's description");
      case EBUSY, EAGAIN ->
          new Advice(
              "the secure processor is busy, or other commands use its buffer",
              "try again a little later");
      case ENOTTY ->
          new Advice(
              "the VM is not initialized for this, KVM has no SEV-SNP, or the secure processor gave"
                  + " no context",
              "initialize the VM first; dmesg has the ccp driver's reason",
              Remedy.CHECK_HOST);
      case ENODEV, ENXIO ->
          new Advice(
              "the secure processor is not there any more",
              "modprobe ccp; dmesg has the driver's reason");
      default -> null;
    };
  }
}
