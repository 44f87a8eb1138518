package dev.iolite.mock.kvm;

/**
 * What the TDX module (its SEAMCALLs) or AMD's secure processor (its commands) says to KVM. The
 * model does what the call stands for if the answer is 0.
 */
@FunctionalInterface
public interface SecureFirmware {
  /**
   * The result of a call.
   *
   * @param call its name, such as {@code TDH_MNG_INIT} or {@code SNP_LAUNCH_UPDATE}
   * @return 0 if it succeeds; else what the VM's owner gets to see: kvm_tdx_cmd's hw_error with
   *     EINVAL, EBUSY or EIO, or kvm_sev_cmd's error (32 bits) with EIO
   */
  long result(String call);

  /** One that succeeds always. */
  static SecureFirmware working() {
    return _ -> 0;
  }
}
