package dev.iolite.kvm;

import java.util.Map;

/**
 * The status codes of the TDX module, with the names of arch/x86/include/asm/shared/tdx_errno.h and
 * arch/x86/include/asm/tdx.h. The low 32 bits of a status are details.
 */
final class TdxStatus {
  private static final long STATUS = 0xffff_ffff_0000_0000L;

  /** What the kernel itself says about a SEAMCALL that did not reach the module (TDX_SW_ERROR). */
  private static final long SOFTWARE = 0x8000_ff00_0000_0000L;

  private static final Map<Long, String> OF_SOFTWARE =
      Map.of(
          SOFTWARE | 0xffff_0000L, "TDX_SEAMCALL_VMFAILINVALID",
          SOFTWARE | 13, "TDX_SEAMCALL_GP",
          SOFTWARE | 6, "TDX_SEAMCALL_UD");

  private static final Map<Long, String> NAMES =
      Map.ofEntries(
          Map.entry(0x4000_0001_0000_0000L, "TDX_NON_RECOVERABLE_VCPU"),
          Map.entry(0x4000_0002_0000_0000L, "TDX_NON_RECOVERABLE_TD"),
          Map.entry(0x6000_0005_0000_0000L, "TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE"),
          Map.entry(0x6000_0007_0000_0000L, "TDX_NON_RECOVERABLE_TD_WRONG_APIC_MODE"),
          Map.entry(0x8000_0003_0000_0000L, "TDX_INTERRUPTED_RESUMABLE"),
          Map.entry(0x8000_0200_0000_0000L, "TDX_OPERAND_BUSY"),
          Map.entry(0x8000_0201_0000_0000L, "TDX_PREVIOUS_TLB_EPOCH_BUSY"),
          Map.entry(0x8000_0202_0000_0000L, "TDX_SYS_BUSY"),
          Map.entry(0x8000_0203_0000_0000L, "TDX_RND_NO_ENTROPY"),
          Map.entry(0x8000_0702_0000_0000L, "TDX_VCPU_NOT_ASSOCIATED"),
          Map.entry(0x8000_0800_0000_0000L, "TDX_KEY_GENERATION_FAILED"),
          Map.entry(0x8000_0824_0000_0000L, "TDX_FLUSHVP_NOT_DONE"),
          Map.entry(0xc000_0100_0000_0000L, "TDX_OPERAND_INVALID"),
          Map.entry(0xc000_0300_0000_0000L, "TDX_PAGE_METADATA_INCORRECT"),
          Map.entry(0xc000_0811_0000_0000L, "TDX_KEY_STATE_INCORRECT"),
          Map.entry(0xc000_0b00_0000_0000L, "TDX_EPT_WALK_FAILED"),
          Map.entry(0xc000_0b0d_0000_0000L, "TDX_EPT_ENTRY_STATE_INCORRECT"),
          Map.entry(0xc000_0c02_0000_0000L, "TDX_METADATA_FIELD_NOT_READABLE"),
          Map.entry(0x0000_0815_0000_0000L, "TDX_KEY_CONFIGURED"),
          Map.entry(0x0000_0821_0000_0000L, "TDX_NO_HKID_READY_TO_WBCACHE"));

  private TdxStatus() {}

  /** For example {@code hw_error=0xc000010000000001 (TDX_OPERAND_INVALID)}. */
  static String text(long status) {
    String name = OF_SOFTWARE.getOrDefault(status, NAMES.getOrDefault(status & STATUS, ""));
    String number = "hw_error=0x" + Long.toHexString(status);
    return name.isEmpty() ? number : number + " (" + name + ")";
  }
}
