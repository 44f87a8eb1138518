package dev.iolite.kvm;

/**
 * The status codes of the secure processor's firmware, with the names of linux/psp-sev.h
 * (sev_ret_code).
 */
final class SevStatus {
  /** Names by code, from 1 on; empty where there is none. */
  private static final String[] NAMES = {
    "SUCCESS",
    "INVALID_PLATFORM_STATE",
    "INVALID_GUEST_STATE",
    "INVALID_CONFIG",
    "INVALID_LEN",
    "ALREADY_OWNED",
    "INVALID_CERTIFICATE",
    "POLICY_FAILURE",
    "INACTIVE",
    "INVALID_ADDRESS",
    "BAD_SIGNATURE",
    "BAD_MEASUREMENT",
    "ASID_OWNED",
    "INVALID_ASID",
    "WBINVD_REQUIRED",
    "DFFLUSH_REQUIRED",
    "INVALID_GUEST",
    "INVALID_COMMAND",
    "ACTIVE",
    "HWSEV_RET_PLATFORM",
    "HWSEV_RET_UNSAFE",
    "UNSUPPORTED",
    "INVALID_PARAM",
    "RESOURCE_LIMIT",
    "SECURE_DATA_INVALID",
    "INVALID_PAGE_SIZE",
    "INVALID_PAGE_STATE",
    "INVALID_MDATA_ENTRY",
    "INVALID_PAGE_OWNER",
    "AEAD_OFLOW",
    "",
    "EXIT_RING_BUFFER",
    "RMP_INIT_REQUIRED",
    "BAD_SVN",
    "BAD_VERSION",
    "SHUTDOWN_REQUIRED",
    "UPDATE_FAILED",
    "RESTORE_REQUIRED",
    "RMP_INITIALIZATION_FAILED",
    "INVALID_KEY",
    "SHUTDOWN_INCOMPLETE",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "INCORRECT_BUFFER_LENGTH",
    "EXPAND_BUFFER_LENGTH_REQUEST",
    "SPDM_REQUEST",
    "SPDM_ERROR",
    "",
    "SEV_STATUS_ERR_IN_DEV_CONN",
    "SEV_STATUS_INVALID_DEV_CTX",
    "SEV_STATUS_INVALID_TDI_CTX",
    "SEV_STATUS_INVALID_TDI",
    "SEV_STATUS_RECLAIM_REQUIRED",
    "IN_USE",
    "SEV_STATUS_INVALID_DEV_STATE",
    "SEV_STATUS_INVALID_TDI_STATE",
    "SEV_STATUS_DEV_CERT_CHANGED",
    "SEV_STATUS_RESYNC_REQ",
    "SEV_STATUS_RESPONSE_TOO_LARGE"
  };

  private static final int NOT_CALLED = -1;

  private SevStatus() {}

  /** For example {@code error=0x17 (SEV_RET_RESOURCE_LIMIT)}. */
  static String text(int error) {
    String name =
        error == NOT_CALLED ? "NO_FW_CALL" : error >= 0 && error < NAMES.length ? NAMES[error] : "";
    String number = "error=0x" + Integer.toHexString(error);
    return name.isEmpty() ? number : number + " (SEV_RET_" + name + ")";
  }
}
