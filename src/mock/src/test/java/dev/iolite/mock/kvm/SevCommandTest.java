package dev.iolite.mock.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_enc_region;
import dev.iolite.uapi.kvm.kvm_sev_attestation_report;
import dev.iolite.uapi.kvm.kvm_sev_cmd;
import dev.iolite.uapi.kvm.kvm_sev_dbg;
import dev.iolite.uapi.kvm.kvm_sev_init;
import dev.iolite.uapi.kvm.kvm_sev_launch_measure;
import dev.iolite.uapi.kvm.kvm_sev_launch_secret;
import dev.iolite.uapi.kvm.kvm_sev_launch_start;
import dev.iolite.uapi.kvm.kvm_sev_launch_update_data;
import dev.iolite.uapi.kvm.kvm_sev_receive_start;
import dev.iolite.uapi.kvm.kvm_sev_receive_update_data;
import dev.iolite.uapi.kvm.kvm_sev_send_start;
import dev.iolite.uapi.kvm.kvm_sev_send_update_data;
import dev.iolite.uapi.kvm.kvm_sev_snp_launch_finish;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What arch/x86/kvm/svm/sev.c refuses before it asks the secure processor, and with what. */
class SevCommandTest {
  private static final long PAGE = RawKvm.PAGE;
  private static final String DONE = "0:0";
  private static final String EINVAL = Errno.EINVAL.negated() + ":0";
  private static final String EFAULT = Errno.EFAULT.negated() + ":0";
  private static final String ENOMEM = Errno.ENOMEM.negated() + ":0";
  private static final String ENOTTY = Errno.ENOTTY.negated() + ":0";
  private static final String EBADF = Errno.EBADF.negated() + ":0";
  private static final String INVALID_LEN = Errno.EIO.negated() + ":4";
  private static final String INVALID_ADDRESS = Errno.EIO.negated() + ":9";
  private static final long NOWHERE = 8;

  private final RawKvm kvm = new RawKvm(MockKernel.builder().platform(Platform.SEV).build());
  private final int vm = kvm.createVm(Kvm.KVM_X86_SEV_VM());
  private final int processor = kvm.kernel.open("/dev/sev", Libc.O_RDWR());
  private final long page = kvm.memory(PAGE);

  /** The result and, after a colon, the secure processor's error. */
  private String command(int on, int id, long data) {
    MemorySegment command = kvm.allocate(kvm_sev_cmd.sizeof());
    kvm_sev_cmd.id(command, id);
    kvm_sev_cmd.data(command, data);
    kvm_sev_cmd.sev_fd(command, processor);
    int result = kvm.call(on, Kvm.KVM_MEMORY_ENCRYPT_OP(), command);
    return result + ":" + kvm_sev_cmd.error(command);
  }

  private String command(int id, MemorySegment data) {
    return command(vm, id, data.address());
  }

  private String init(int on) {
    return command(on, Kvm.KVM_SEV_INIT2(), kvm.allocate(kvm_sev_init.sizeof()).address());
  }

  private String start(int on) {
    MemorySegment start = kvm.allocate(kvm_sev_launch_start.sizeof());
    return command(on, Kvm.KVM_SEV_LAUNCH_START(), start.address());
  }

  private void started() {
    assertThat(init(vm)).isEqualTo(DONE);
    assertThat(start(vm)).isEqualTo(DONE);
  }

  private void running() {
    started();
    MemorySegment measure = kvm.allocate(kvm_sev_launch_measure.sizeof());
    kvm_sev_launch_measure.uaddr(measure, page);
    kvm_sev_launch_measure.len(measure, 48);
    assertThat(command(Kvm.KVM_SEV_LAUNCH_MEASURE(), measure)).isEqualTo(DONE);
    assertThat(command(vm, Kvm.KVM_SEV_LAUNCH_FINISH(), 0)).isEqualTo(DONE);
  }

  @Test
  void threeNumbersHaveNoHandler() {
    started();
    assertThat(command(vm, Kvm.KVM_SEV_SEND_UPDATE_VMSA(), 0)).isEqualTo(EINVAL);
    assertThat(command(vm, Kvm.KVM_SEV_RECEIVE_UPDATE_VMSA(), 0)).isEqualTo(EINVAL);
    assertThat(command(vm, Kvm.KVM_SEV_CERT_EXPORT(), 0)).isEqualTo(EINVAL);
    assertThat(command(vm, 23, 0)).isEqualTo(EINVAL);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 15, 16, 17, 18, 20, 21})
  void aVmThatIsNotInitializedIsNoSevGuest(int id) {
    assertThat(command(vm, id, 0)).isEqualTo(ENOTTY);
    int plain = kvm.createVm(Kvm.KVM_X86_DEFAULT_VM());
    assertThat(command(plain, id, 0)).isEqualTo(ENOTTY);
  }

  @Test
  void receiveUpdateDataSaysItInAnotherWay() {
    assertThat(command(vm, Kvm.KVM_SEV_RECEIVE_UPDATE_DATA(), 0)).isEqualTo(EINVAL);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 5, 6, 8, 9, 12, 13, 17, 18, 20})
  void anArgumentThatCannotBeReadIsAFault(int id) {
    started();
    assertThat(command(vm, id, NOWHERE)).isEqualTo(EFAULT);
  }

  @Test
  void beforeTheStartThereIsNoProcessorToAsk() {
    assertThat(init(vm)).isEqualTo(DONE);
    assertThat(command(vm, Kvm.KVM_SEV_LAUNCH_FINISH(), 0)).isEqualTo(EBADF);
    assertThat(command(vm, Kvm.KVM_SEV_GUEST_STATUS(), 0)).isEqualTo(EBADF);
    assertThat(command(vm, Kvm.KVM_SEV_SEND_CANCEL(), 0)).isEqualTo(EBADF);
    assertThat(command(vm, Kvm.KVM_SEV_RECEIVE_FINISH(), 0)).isEqualTo(EBADF);
  }

  @Test
  void aVmThatWaitsForItsInitializationCannotRun() {
    int vcpu = kvm.createVcpu(vm, 0);
    assertThat(kvm.enter(vcpu)).isEqualTo(Errno.EINVAL.negated());
    assertThat(init(vm)).as("it has a vCPU").isEqualTo(EINVAL);
  }

  @Test
  void aStartCopiesItsBlobsFirst() {
    assertThat(init(vm)).isEqualTo(DONE);
    MemorySegment start = kvm.allocate(kvm_sev_launch_start.sizeof());
    kvm_sev_launch_start.dh_uaddr(start, page);
    assertThat(command(Kvm.KVM_SEV_LAUNCH_START(), start)).isEqualTo(EINVAL);
    kvm_sev_launch_start.dh_len(start, 0x4001);
    assertThat(command(Kvm.KVM_SEV_LAUNCH_START(), start)).isEqualTo(EINVAL);
    kvm_sev_launch_start.dh_len(start, 1);
    kvm_sev_launch_start.session_uaddr(start, NOWHERE);
    kvm_sev_launch_start.session_len(start, 1);
    assertThat(command(Kvm.KVM_SEV_LAUNCH_START(), start)).isEqualTo(EFAULT);
    kvm_sev_launch_start.session_uaddr(start, page);
    assertThat(command(Kvm.KVM_SEV_LAUNCH_START(), start)).isEqualTo(DONE);
    assertThat(kvm_sev_launch_start.handle(start)).isEqualTo(1);
  }

  @Test
  void launchDataIsPinnedAndHasToBeAligned() {
    started();
    assertThat(updateData(page, 0)).isEqualTo(EINVAL);
    assertThat(updateData(-8, 16)).isEqualTo(EINVAL);
    assertThat(updateData(NOWHERE, 16)).isEqualTo(ENOMEM);
    assertThat(updateData(page + 8, 16)).isEqualTo(INVALID_ADDRESS);
    assertThat(updateData(page, 15)).isEqualTo(INVALID_LEN);
    assertThat(updateData(page + 16, 32)).isEqualTo(DONE);
  }

  private String updateData(long address, int bytes) {
    MemorySegment update = kvm.allocate(kvm_sev_launch_update_data.sizeof());
    kvm_sev_launch_update_data.uaddr(update, address);
    kvm_sev_launch_update_data.len(update, bytes);
    return command(Kvm.KVM_SEV_LAUNCH_UPDATE_DATA(), update);
  }

  @Test
  void aMeasurementOfLengthZeroAsksForTheLength() {
    started();
    MemorySegment measure = kvm.allocate(kvm_sev_launch_measure.sizeof());
    assertThat(command(Kvm.KVM_SEV_LAUNCH_MEASURE(), measure)).isEqualTo(INVALID_LEN);
    assertThat(kvm_sev_launch_measure.len(measure)).isEqualTo(48);
    assertThat(command(Kvm.KVM_SEV_LAUNCH_MEASURE(), measure))
        .as("without an address, the processor is given no room")
        .isEqualTo(INVALID_LEN);
    kvm_sev_launch_measure.uaddr(measure, page);
    kvm_sev_launch_measure.len(measure, 47);
    assertThat(command(Kvm.KVM_SEV_LAUNCH_MEASURE(), measure)).isEqualTo(INVALID_LEN);
    assertThat(kvm_sev_launch_measure.len(measure)).isEqualTo(47);
    kvm_sev_launch_measure.len(measure, 0x4001);
    assertThat(command(Kvm.KVM_SEV_LAUNCH_MEASURE(), measure)).isEqualTo(EINVAL);
    kvm_sev_launch_measure.len(measure, 0x4000);
    kvm_sev_launch_measure.uaddr(measure, NOWHERE);
    assertThat(command(Kvm.KVM_SEV_LAUNCH_MEASURE(), measure))
        .as("the measurement is over, and its owner did not get it")
        .isEqualTo(EFAULT);
  }

  @Test
  void aReportOfLengthZeroAsksForTheLength() {
    started();
    MemorySegment report = kvm.allocate(kvm_sev_attestation_report.sizeof());
    assertThat(command(Kvm.KVM_SEV_GET_ATTESTATION_REPORT(), report))
        .as("not before the measurement")
        .isEqualTo(Errno.EIO.negated() + ":2");
    assertThat(kvm_sev_attestation_report.len(report)).isZero();
    MemorySegment measure = kvm.allocate(kvm_sev_launch_measure.sizeof());
    kvm_sev_launch_measure.uaddr(measure, page);
    kvm_sev_launch_measure.len(measure, 100);
    assertThat(command(Kvm.KVM_SEV_LAUNCH_MEASURE(), measure)).isEqualTo(DONE);
    assertThat(kvm_sev_launch_measure.len(measure)).isEqualTo(48);
    assertThat(command(Kvm.KVM_SEV_GET_ATTESTATION_REPORT(), report)).isEqualTo(INVALID_LEN);
    assertThat(kvm_sev_attestation_report.len(report)).isEqualTo(208);
    kvm_sev_attestation_report.uaddr(report, page);
    assertThat(command(Kvm.KVM_SEV_GET_ATTESTATION_REPORT(), report)).isEqualTo(DONE);
    kvm_sev_attestation_report.len(report, 0x4001);
    assertThat(command(Kvm.KVM_SEV_GET_ATTESTATION_REPORT(), report)).isEqualTo(EINVAL);
  }

  @Test
  void aSecretIsInOnePage() {
    started();
    long two = kvm.memory(2 * PAGE);
    assertThat(secret(two, 0, 52, 16)).isEqualTo(EINVAL);
    assertThat(secret(NOWHERE, 16, 52, 16)).isEqualTo(ENOMEM);
    assertThat(secret(two + PAGE - 8, 16, 52, 16)).isEqualTo(EINVAL);
    assertThat(secret(two, 16, 52, 0)).isEqualTo(EINVAL);
    assertThat(secret(two, 16, 0, 16)).isEqualTo(EINVAL);
    assertThat(secret(two, 16, 52, 16)).isEqualTo(Errno.EIO.negated() + ":2");
    MemorySegment measure = kvm.allocate(kvm_sev_launch_measure.sizeof());
    kvm_sev_launch_measure.uaddr(measure, page);
    kvm_sev_launch_measure.len(measure, 48);
    assertThat(command(Kvm.KVM_SEV_LAUNCH_MEASURE(), measure)).isEqualTo(DONE);
    assertThat(secret(two, 16, 51, 16)).isEqualTo(INVALID_LEN);
    assertThat(secret(two, 16, 52, 32)).isEqualTo(INVALID_LEN);
    assertThat(secret(two + 1, 16, 52, 16)).isEqualTo(INVALID_ADDRESS);
    assertThat(secret(two, 16, 52, 16)).isEqualTo(DONE);
  }

  private String secret(long guest, int bytes, int header, int data) {
    MemorySegment secret = kvm.allocate(kvm_sev_launch_secret.sizeof());
    kvm_sev_launch_secret.guest_uaddr(secret, guest);
    kvm_sev_launch_secret.guest_len(secret, bytes);
    kvm_sev_launch_secret.hdr_uaddr(secret, page);
    kvm_sev_launch_secret.hdr_len(secret, header);
    kvm_sev_launch_secret.trans_uaddr(secret, page);
    kvm_sev_launch_secret.trans_len(secret, data);
    return command(Kvm.KVM_SEV_LAUNCH_SECRET(), secret);
  }

  @Test
  void debuggingNeedsMemoryOnBothSides() {
    started();
    long two = kvm.memory(2 * PAGE);
    assertThat(debug(page, two, 0)).isEqualTo(EINVAL);
    assertThat(debug(0, two, 16)).isEqualTo(EINVAL);
    assertThat(debug(page, 0, 16)).isEqualTo(EINVAL);
    assertThat(debug(-8, two, 16)).isEqualTo(EINVAL);
    assertThat(debug(page, -8, 16)).isEqualTo(EINVAL);
    assertThat(debug(NOWHERE, two, 16)).isEqualTo(ENOMEM);
    assertThat(debug(page, NOWHERE, 16)).isEqualTo(ENOMEM);
    assertThat(debug(page, two + 1, 17)).isEqualTo(DONE);
  }

  private String debug(long source, long target, int bytes) {
    MemorySegment debug = kvm.allocate(kvm_sev_dbg.sizeof());
    kvm_sev_dbg.src_uaddr(debug, source);
    kvm_sev_dbg.dst_uaddr(debug, target);
    kvm_sev_dbg.len(debug, bytes);
    return command(Kvm.KVM_SEV_DBG_DECRYPT(), debug);
  }

  @Test
  void aSendStartsWithASessionAndThreeCertificates() {
    running();
    MemorySegment start = kvm.allocate(kvm_sev_send_start.sizeof());
    assertThat(command(Kvm.KVM_SEV_SEND_START(), start)).isEqualTo(INVALID_LEN);
    assertThat(kvm_sev_send_start.session_len(start)).isEqualTo(128);
    assertThat(command(Kvm.KVM_SEV_SEND_START(), start)).isEqualTo(EINVAL);
    kvm_sev_send_start.pdh_cert_uaddr(start, page);
    assertThat(command(Kvm.KVM_SEV_SEND_START(), start)).isEqualTo(EINVAL);
    kvm_sev_send_start.pdh_cert_len(start, 4);
    assertThat(command(Kvm.KVM_SEV_SEND_START(), start)).isEqualTo(EINVAL);
    kvm_sev_send_start.session_uaddr(start, page);
    assertThat(command(Kvm.KVM_SEV_SEND_START(), start)).isEqualTo(EINVAL);
    kvm_sev_send_start.plat_certs_uaddr(start, page);
    kvm_sev_send_start.plat_certs_len(start, 4);
    assertThat(command(Kvm.KVM_SEV_SEND_START(), start)).isEqualTo(EINVAL);
    kvm_sev_send_start.amd_certs_uaddr(start, page);
    kvm_sev_send_start.amd_certs_len(start, 4);
    kvm_sev_send_start.session_len(start, 0x4001);
    assertThat(command(Kvm.KVM_SEV_SEND_START(), start)).isEqualTo(EINVAL);
    kvm_sev_send_start.session_len(start, 100);
    kvm_sev_send_start.policy(start, 7);
    assertThat(command(Kvm.KVM_SEV_SEND_START(), start)).isEqualTo(INVALID_LEN);
    assertThat(kvm_sev_send_start.session_len(start)).isEqualTo(128);
    assertThat(kvm_sev_send_start.policy(start)).as("what the processor wrote: nothing").isZero();
    assertThat(command(Kvm.KVM_SEV_SEND_START(), start)).isEqualTo(DONE);
  }

  @Test
  void whatIsSentIsInOnePage() {
    sending();
    long two = kvm.memory(2 * PAGE);
    MemorySegment update = kvm.allocate(kvm_sev_send_update_data.sizeof());
    kvm_sev_send_update_data.hdr_len(update, 99);
    assertThat(command(Kvm.KVM_SEV_SEND_UPDATE_DATA(), update)).isEqualTo(INVALID_LEN);
    assertThat(kvm_sev_send_update_data.hdr_len(update)).isEqualTo(52);
    assertThat(kvm_sev_send_update_data.trans_len(update)).isZero();
    kvm_sev_send_update_data.trans_len(update, 16);
    assertThat(command(Kvm.KVM_SEV_SEND_UPDATE_DATA(), update)).isEqualTo(EINVAL);
    kvm_sev_send_update_data.hdr_uaddr(update, page);
    kvm_sev_send_update_data.trans_uaddr(update, page + 1024);
    kvm_sev_send_update_data.guest_uaddr(update, two + PAGE - 16);
    kvm_sev_send_update_data.guest_len(update, 32);
    assertThat(command(Kvm.KVM_SEV_SEND_UPDATE_DATA(), update)).isEqualTo(EINVAL);
    kvm_sev_send_update_data.guest_len(update, 16);
    kvm_sev_send_update_data.guest_uaddr(update, NOWHERE);
    assertThat(command(Kvm.KVM_SEV_SEND_UPDATE_DATA(), update)).isEqualTo(ENOMEM);
    kvm_sev_send_update_data.guest_uaddr(update, two + 1);
    assertThat(command(Kvm.KVM_SEV_SEND_UPDATE_DATA(), update)).isEqualTo(INVALID_ADDRESS);
    kvm_sev_send_update_data.guest_uaddr(update, two);
    kvm_sev_send_update_data.guest_len(update, 24);
    assertThat(command(Kvm.KVM_SEV_SEND_UPDATE_DATA(), update)).isEqualTo(INVALID_LEN);
    kvm_sev_send_update_data.guest_len(update, 16);
    kvm_sev_send_update_data.trans_len(update, (4 << 20) + 1);
    assertThat(command(Kvm.KVM_SEV_SEND_UPDATE_DATA(), update)).isEqualTo(ENOMEM);
    kvm_sev_send_update_data.trans_len(update, 16);
    assertThat(command(Kvm.KVM_SEV_SEND_UPDATE_DATA(), update)).isEqualTo(DONE);
  }

  private long sending() {
    running();
    MemorySegment start = kvm.allocate(kvm_sev_send_start.sizeof());
    long session = kvm.memory(PAGE);
    kvm_sev_send_start.pdh_cert_uaddr(start, page);
    kvm_sev_send_start.pdh_cert_len(start, 4);
    kvm_sev_send_start.plat_certs_uaddr(start, page);
    kvm_sev_send_start.plat_certs_len(start, 4);
    kvm_sev_send_start.amd_certs_uaddr(start, page);
    kvm_sev_send_start.amd_certs_len(start, 4);
    kvm_sev_send_start.session_uaddr(start, session);
    kvm_sev_send_start.session_len(start, 128);
    assertThat(command(Kvm.KVM_SEV_SEND_START(), start)).isEqualTo(DONE);
    return session;
  }

  @Test
  void aReceptionNeedsTheWholeSession() {
    long session = sending();
    int target = kvm.createVm(Kvm.KVM_X86_SEV_VM());
    assertThat(init(target)).isEqualTo(DONE);
    MemorySegment start = kvm.allocate(kvm_sev_receive_start.sizeof());
    int id = Kvm.KVM_SEV_RECEIVE_START();
    assertThat(command(target, id, start.address())).isEqualTo(EINVAL);
    kvm_sev_receive_start.pdh_uaddr(start, page);
    kvm_sev_receive_start.pdh_len(start, 4);
    assertThat(command(target, id, start.address())).isEqualTo(EINVAL);
    kvm_sev_receive_start.session_uaddr(start, session);
    kvm_sev_receive_start.session_len(start, 127);
    assertThat(command(target, id, start.address())).isEqualTo(INVALID_LEN);
    kvm_sev_receive_start.session_len(start, 128);
    assertThat(command(target, id, start.address())).isEqualTo(DONE);
    assertThat(kvm_sev_receive_start.handle(start)).isEqualTo(2);

    MemorySegment update = kvm.allocate(kvm_sev_receive_update_data.sizeof());
    id = Kvm.KVM_SEV_RECEIVE_UPDATE_DATA();
    assertThat(command(target, id, update.address())).isEqualTo(EINVAL);
    kvm_sev_receive_update_data.guest_uaddr(update, page);
    kvm_sev_receive_update_data.guest_len(update, 16);
    kvm_sev_receive_update_data.hdr_uaddr(update, page);
    kvm_sev_receive_update_data.hdr_len(update, 52);
    assertThat(command(target, id, update.address())).as("no data").isEqualTo(EINVAL);
    kvm_sev_receive_update_data.trans_uaddr(update, page);
    kvm_sev_receive_update_data.trans_len(update, 16);
    kvm_sev_receive_update_data.guest_len(update, (int) PAGE + 1);
    assertThat(command(target, id, update.address())).isEqualTo(EINVAL);
    kvm_sev_receive_update_data.guest_len(update, 16);
    kvm_sev_receive_update_data.guest_uaddr(update, NOWHERE);
    assertThat(command(target, id, update.address())).isEqualTo(ENOMEM);
    kvm_sev_receive_update_data.guest_uaddr(update, page);
    assertThat(command(target, id, update.address()))
        .as("not a packet")
        .isEqualTo(Errno.EIO.negated() + ":11");
  }

  @Test
  void regionsAreUnregisteredAsTheyWereRegistered() {
    long register = Kvm.KVM_MEMORY_ENCRYPT_REG_REGION();
    long unregister = Kvm.KVM_MEMORY_ENCRYPT_UNREG_REGION();
    assertThat(kvm.kernel.ioctl(vm, register, NOWHERE)).isEqualTo(Errno.EFAULT.negated());
    assertThat(region(vm, register, page, PAGE)).isEqualTo(Errno.ENOTTY.negated());
    assertThat(region(vm, unregister, page, PAGE)).isEqualTo(Errno.ENOTTY.negated());
    started();
    assertThat(region(vm, register, page, 0)).isEqualTo(Errno.EINVAL.negated());
    assertThat(region(vm, register, NOWHERE, PAGE)).isEqualTo(Errno.ENOMEM.negated());
    assertThat(region(vm, register, page, PAGE)).isZero();
    assertThat(region(vm, unregister, page, 16)).isEqualTo(Errno.EINVAL.negated());
    assertThat(region(vm, unregister, page, PAGE)).isZero();
    assertThat(region(vm, unregister, page, PAGE)).isEqualTo(Errno.EINVAL.negated());
    int mirror = kvm.createVm(Kvm.KVM_X86_SEV_VM());
    assertThat(kvm.enable(mirror, Kvm.KVM_CAP_VM_COPY_ENC_CONTEXT_FROM(), vm)).isZero();
    assertThat(region(mirror, register, page, PAGE)).isEqualTo(Errno.EINVAL.negated());
    assertThat(region(mirror, unregister, page, PAGE)).isEqualTo(Errno.EINVAL.negated());
  }

  private int region(int on, long request, long address, long bytes) {
    MemorySegment region = kvm.allocate(kvm_enc_region.sizeof());
    kvm_enc_region.addr(region, address);
    kvm_enc_region.size(region, bytes);
    return kvm.call(on, request, region);
  }

  @Test
  void anEncryptionComesFromAnotherVm() {
    started();
    for (int capability :
        new int[] {
          Kvm.KVM_CAP_VM_COPY_ENC_CONTEXT_FROM(), Kvm.KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM()
        }) {
      int target = kvm.createVm(Kvm.KVM_X86_SEV_VM());
      assertThat(kvm.enable(target, capability, 999)).isEqualTo(Errno.EBADF.negated());
      assertThat(kvm.enable(target, capability, processor)).isEqualTo(Errno.EBADF.negated());
      assertThat(kvm.enable(target, capability, target)).isEqualTo(Errno.EINVAL.negated());
      int plain = kvm.createVm(Kvm.KVM_X86_SEV_VM());
      assertThat(kvm.enable(target, capability, plain)).isEqualTo(Errno.EINVAL.negated());
      int snp = kvm.createVm(Kvm.KVM_X86_SNP_VM());
      assertThat(init(snp)).isEqualTo(DONE);
      assertThat(kvm.enable(kvm.createVm(Kvm.KVM_X86_SNP_VM()), capability, snp))
          .isEqualTo(Errno.EINVAL.negated());
      assertThat(init(target)).isEqualTo(DONE);
      assertThat(kvm.enable(target, capability, vm))
          .as("it has one already")
          .isEqualTo(Errno.EINVAL.negated());
    }
    int late = kvm.createVm(Kvm.KVM_X86_SEV_VM());
    kvm.createVcpu(late, 0);
    assertThat(kvm.enable(late, Kvm.KVM_CAP_VM_COPY_ENC_CONTEXT_FROM(), vm))
        .as("it has a vCPU")
        .isEqualTo(Errno.EINVAL.negated());
    assertThat(kvm.enable(late, Kvm.KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM(), vm)).isZero();
    assertThat(kvm.enter(kvm.createVcpu(late, 1)))
        .as("7.3 moves a guest into a VM that still waits for KVM_SEV_INIT2")
        .isEqualTo(Errno.EINVAL.negated());
  }

  @Test
  void theIdBlockOfSnpIsReadAfterTheRegistersAreEncrypted() {
    int snp = kvm.createVm(Kvm.KVM_X86_SNP_VM());
    assertThat(init(snp)).isEqualTo(DONE);
    MemorySegment start = kvm.allocate(64);
    start.set(ValueLayout.JAVA_LONG, 0, 0x3_0000);
    assertThat(command(snp, Kvm.KVM_SEV_SNP_LAUNCH_START(), start.address())).isEqualTo(DONE);
    kvm.createVcpu(snp, 0);
    MemorySegment finish = kvm.allocate(kvm_sev_snp_launch_finish.sizeof());
    kvm_sev_snp_launch_finish.flags(finish, (short) 1);
    int id = Kvm.KVM_SEV_SNP_LAUNCH_FINISH();
    assertThat(command(snp, id, finish.address())).isEqualTo(EINVAL);
    kvm_sev_snp_launch_finish.flags(finish, (short) 0);
    kvm_sev_snp_launch_finish.id_block_en(finish, (byte) 1);
    assertThat(command(snp, id, finish.address())).isEqualTo(EINVAL);
    kvm_sev_snp_launch_finish.id_block_en(finish, (byte) 0);
    assertThat(command(snp, id, finish.address()))
        .as("a failed end can't be repeated, because the registers are encrypted")
        .isEqualTo(EINVAL);
  }
}
