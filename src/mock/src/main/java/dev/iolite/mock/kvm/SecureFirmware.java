package dev.iolite.mock.kvm;

/**
 * The answers of the TDX module (to SEAMCALLs) or of AMD's secure processor (to commands). If the
 * answer is 0, the model does what the call requests.
 */
@FunctionalInterface
public interface SecureFirmware {
  /**
   * The result of a call.
   *
   * @param call its name, such as {@code TDH_MNG_INIT} or {@code SNP_LAUNCH_UPDATE}
   * @return 0 if it succeeds; otherwise what the VM's owner sees: kvm_tdx_cmd's hw_error with
   *     EINVAL, EBUSY or EIO, or kvm_sev_cmd's error (32 bits) with EIO
   */
  long result(String call);

  /** Firmware whose calls always succeed. */
  static SecureFirmware working() {
    return _ -> 0;
  }
}
