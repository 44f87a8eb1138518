package dev.iolite.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Mapping;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Guests with SEV and SEV-ES, by the commands of the client. */
class SevTest {
  private static final long PAGE = 4096;
  private static final int ES_POLICY = 4;
  private static final byte[] CERTIFICATE = {1, 2, 3};

  private final List<String> commands = new ArrayList<>();
  private String failing = "";
  private final MockKernel kernel =
      MockKernel.builder()
          .platform(Platform.SEV)
          .firmware(call -> {
            commands.add(call);
            return call.equals(failing) ? 0x15 : 0;
          })
          .build();
  private final Kvm kvm = Kvm.open(kernel);
  private final SecureProcessor processor = SecureProcessor.open(kernel);

  @AfterEach
  void close() {
    processor.close();
    kvm.close();
    kernel.close();
  }

  private Sev initialized(Vm vm) {
    Sev sev = vm.sev(processor);
    sev.init(SevInit.usual());
    return sev;
  }

  private static byte[] bytes(MemorySegment memory) {
    return memory.toArray(ValueLayout.JAVA_BYTE);
  }

  private static void refused(ThrowingCallable call, Errno errno, String text) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(KernelException.class, e -> assertThat(e.errno()).isEqualTo(errno))
        .hasMessageContaining(text)
        .hasMessageContaining("Next: ");
  }

  @ParameterizedTest
  @EnumSource(names = {"SEV", "SEV_ES"})
  void aLaunchGoesThroughItsStatesAndEncryptsItsMemory(VmType type) {
    try (Vm vm = kvm.createVm(type);
        Mapping ram = Mapping.anonymous(kernel, 2 * PAGE)) {
      MemorySegment memory = ram.segment();
      memory.set(ValueLayout.JAVA_INT, 0, 0xcafe);
      Sev sev = initialized(vm);
      if (type == VmType.SEV_ES) {
        vm.createVcpu(0);
      }
      int policy = type == VmType.SEV_ES ? ES_POLICY : 0;
      int handle = sev.launchStart(policy, 0, CERTIFICATE, CERTIFICATE);
      assertThat(sev.guestStatus())
          .isEqualTo(new SevGuestStatus(handle, policy, SevGuestState.LUPDATE));
      sev.launchUpdateData(memory);
      assertThat(memory.get(ValueLayout.JAVA_INT, 0)).isNotEqualTo(0xcafe);
      if (type == VmType.SEV_ES) {
        sev.launchUpdateVmsa();
        refused(sev::launchUpdateVmsa, Errno.EINVAL, "KVM_SEV_LAUNCH_UPDATE_VMSA");
      } else {
        refused(sev::launchUpdateVmsa, Errno.ENOTTY, "KVM_SEV_LAUNCH_UPDATE_VMSA");
      }
      refused(sev::launchFinish, Errno.EIO, "error=0x2 (SEV_RET_INVALID_GUEST_STATE)");
      byte[] measurement = sev.launchMeasure();
      assertThat(measurement).hasSize(48);
      assertThat(sev.guestStatus().state()).isEqualTo(SevGuestState.LSECRET);
      refused(() -> sev.launchUpdateData(memory), Errno.EIO, "INVALID_GUEST_STATE");
      refused(sev::launchMeasure, Errno.EIO, "INVALID_GUEST_STATE");
      sev.launchSecret(memory.asSlice(PAGE, 16), new SevPacket(new byte[52], new byte[16]));
      sev.launchFinish();
      assertThat(sev.guestStatus().state()).isEqualTo(SevGuestState.RUNNING);
    }
  }

  @Test
  void theMeasurementFollowsTheMemory() {
    assertThat(measurement(1)).isEqualTo(measurement(1)).isNotEqualTo(measurement(2));
  }

  private byte[] measurement(int content) {
    try (Vm vm = kvm.createVm(VmType.SEV);
        Mapping ram = Mapping.anonymous(kernel, PAGE)) {
      Sev sev = initialized(vm);
      sev.launchStart(0);
      ram.segment().set(ValueLayout.JAVA_INT, 0, content);
      sev.launchUpdateData(ram.segment());
      return sev.launchMeasure();
    }
  }

  /** A guest that runs, with one page of memory. */
  private Sev running(Vm vm, int policy, MemorySegment memory) {
    Sev sev = initialized(vm);
    sev.launchStart(policy);
    sev.launchUpdateData(memory);
    sev.launchMeasure();
    sev.launchFinish();
    return sev;
  }

  @Test
  void aGuestReadsWhatWasEncryptedForIt() {
    try (Vm vm = kvm.createVm(VmType.SEV);
        Mapping ram = Mapping.anonymous(kernel, PAGE);
        Mapping buffer = Mapping.anonymous(kernel, PAGE)) {
      MemorySegment memory = ram.segment();
      // mov al, [0x800]; mov [0x801], al; out 0x80, al
      byte[] code = {(byte) 0xa0, 0x00, 0x08, (byte) 0xa2, 0x01, 0x08, (byte) 0xe6, (byte) 0x80};
      MemorySegment.copy(code, 0, memory, ValueLayout.JAVA_BYTE, 0, code.length);
      memory.set(ValueLayout.JAVA_BYTE, 0x800, (byte) 0x42);
      Sev sev = running(vm, 0, memory);
      Vcpu vcpu = vm.createVcpu(0, vm.addSlot(0, PAGE, memory.address()));
      vcpu.enterRealMode(0);
      assertThat(vcpu.run(Duration.ofSeconds(60)))
          .isInstanceOfSatisfying(Exit.IoOut.class, out -> assertThat(out.value()).isEqualTo(0x42));
      sev.dbgDecrypt(memory.asSlice(0x800, 16), buffer.segment());
      assertThat(buffer.segment().get(ValueLayout.JAVA_BYTE, 1)).isEqualTo((byte) 0x42);
      assertThat(memory.get(ValueLayout.JAVA_BYTE, 0x801)).isNotEqualTo((byte) 0x42);
    }
  }

  @Test
  void aGuestIsDebuggedIfItsPolicyAllowsIt() {
    try (Vm vm = kvm.createVm(VmType.SEV);
        Vm closed = kvm.createVm(VmType.SEV);
        Mapping ram = Mapping.anonymous(kernel, 3 * PAGE);
        Mapping buffer = Mapping.anonymous(kernel, 3 * PAGE)) {
      MemorySegment memory = ram.segment();
      for (int i = 0; i < 3 * PAGE; i++) {
        memory.set(ValueLayout.JAVA_BYTE, i, (byte) (i * 7));
      }
      byte[] plain = bytes(memory);
      Sev sev = running(vm, 0, memory);
      sev.dbgDecrypt(memory, buffer.segment());
      assertThat(bytes(buffer.segment())).isEqualTo(plain);
      // Not aligned, and across pages on both sides.
      sev.dbgDecrypt(memory.asSlice(4001, 5000), buffer.segment().asSlice(9, 5000));
      assertThat(bytes(buffer.segment().asSlice(9, 5000)))
          .isEqualTo(Arrays.copyOfRange(plain, 4001, 9001));
      commands.clear();
      MemorySegment text =
          MemorySegment.ofArray("peek and poke".getBytes(StandardCharsets.US_ASCII));
      buffer.segment().asSlice(0, 13).copyFrom(text);
      sev.dbgEncrypt(buffer.segment().asSlice(0, 13), memory.asSlice(4090, 13));
      assertThat(commands)
          .as("two pieces, each read first, because blocks are written in part")
          .containsExactly("DBG_DECRYPT", "DBG_ENCRYPT", "DBG_DECRYPT", "DBG_ENCRYPT");
      assertThat(bytes(memory.asSlice(4090, 13))).isNotEqualTo(bytes(text));
      sev.dbgDecrypt(memory.asSlice(4090, 13), buffer.segment().asSlice(100, 13));
      assertThat(bytes(buffer.segment().asSlice(100, 13))).isEqualTo(bytes(text));
      assertThatThrownBy(() -> sev.dbgDecrypt(memory, buffer.segment().asSlice(1)))
          .isInstanceOf(IndexOutOfBoundsException.class);

      Sev sealed = running(closed, 1, memory);
      refused(
          () -> sealed.dbgDecrypt(memory, buffer.segment()),
          Errno.EIO,
          "error=0x7 (SEV_RET_POLICY_FAILURE)");
    }
  }

  private static SevMigration.Certificates certificates() {
    return new SevMigration.Certificates(CERTIFICATE, CERTIFICATE, CERTIFICATE);
  }

  @Test
  void aGuestThatIsSentArrivesInAnotherVm() {
    try (Vm vm = kvm.createVm(VmType.SEV);
        Vm target = kvm.createVm(VmType.SEV);
        Mapping ram = Mapping.anonymous(kernel, PAGE);
        Mapping there = Mapping.anonymous(kernel, PAGE);
        Mapping buffer = Mapping.anonymous(kernel, PAGE)) {
      MemorySegment memory = ram.segment();
      memory.set(ValueLayout.JAVA_LONG, 8, 0x1234_5678_9abcL);
      byte[] plain = bytes(memory);
      Sev sev = running(vm, 0, memory);
      SevMigration sending = sev.migration();
      refused(() -> sending.sendUpdateData(memory), Errno.EIO, "INVALID_GUEST_STATE");
      sending.sendStart(certificates());
      assertThat(sev.guestStatus().state()).isEqualTo(SevGuestState.SUPDATE);
      sending.sendCancel();
      assertThat(sev.guestStatus().state()).isEqualTo(SevGuestState.RUNNING);
      byte[] session = sending.sendStart(certificates());
      assertThat(session).hasSize(128);
      SevPacket packet = sending.sendUpdateData(memory);
      assertThat(packet.header()).hasSize(52);
      assertThat(packet.data()).isNotEqualTo(plain).isNotEqualTo(bytes(memory));

      Sev received = initialized(target);
      SevMigration receiving = received.migration();
      refused(receiving::receiveFinish, Errno.EBADF, "KVM_SEV_RECEIVE_FINISH");
      refused(
          () -> receiving.receiveStart(8, CERTIFICATE, session),
          Errno.EIO,
          "SEV_RET_BAD_MEASUREMENT");
      int handle = receiving.receiveStart(0, CERTIFICATE, session);
      assertThat(received.guestStatus())
          .isEqualTo(new SevGuestStatus(handle, 0, SevGuestState.RUPDATE));
      byte[] forged = packet.data();
      forged[0] ^= 1;
      refused(
          () ->
              receiving.receiveUpdateData(there.segment(), new SevPacket(packet.header(), forged)),
          Errno.EIO,
          "error=0xb (SEV_RET_BAD_MEASUREMENT)");
      receiving.receiveUpdateData(there.segment(), packet);
      assertThat(bytes(there.segment()))
          .as("another key")
          .isNotEqualTo(plain)
          .isNotEqualTo(bytes(memory));
      receiving.receiveFinish();
      received.dbgDecrypt(there.segment(), buffer.segment());
      assertThat(bytes(buffer.segment())).isEqualTo(plain);

      sending.sendFinish();
      assertThat(sev.guestStatus().state()).isEqualTo(SevGuestState.SENT);
      refused(sending::sendCancel, Errno.EIO, "INVALID_GUEST_STATE");
    }
  }

  @Test
  void aPolicyCanForbidToSendAGuest() {
    try (Vm vm = kvm.createVm(VmType.SEV);
        Mapping ram = Mapping.anonymous(kernel, PAGE)) {
      SevMigration sending = running(vm, 8, ram.segment()).migration();
      refused(() -> sending.sendStart(certificates()), Errno.EIO, "SEV_RET_POLICY_FAILURE");
    }
  }

  @Test
  void anAttestationReportHasTheNonceAndThePolicy() {
    try (Vm vm = kvm.createVm(VmType.SEV);
        Mapping ram = Mapping.anonymous(kernel, PAGE)) {
      Sev sev = running(vm, 2, ram.segment());
      byte[] nonce = "sixteen bytes ok".getBytes(StandardCharsets.US_ASCII);
      byte[] report = sev.attestationReport(nonce);
      assertThat(report).hasSize(208).startsWith(nonce);
      assertThat(Arrays.copyOfRange(report, 48, 52)).containsExactly(2, 0, 0, 0);
      assertThatThrownBy(() -> sev.attestationReport(new byte[15]))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void aDefaultVmIsMadeAnEncryptedOneInTheOldWay() {
    try (Vm sev = kvm.createVm(VmType.DEFAULT);
        Vm es = kvm.createVm(VmType.DEFAULT)) {
      Sev first = sev.sev(processor);
      first.initDefault();
      refused(first::initDefault, Errno.EINVAL, "KVM_SEV_INIT");
      assertThat(first.launchStart(0)).isPositive();
      refused(first::launchUpdateVmsa, Errno.ENOTTY, "KVM_SEV_LAUNCH_UPDATE_VMSA");
      Sev second = es.sev(processor);
      second.initDefaultEs();
      Vcpu vcpu = es.createVcpu(0);
      second.launchStart(ES_POLICY);
      second.launchUpdateVmsa();
      assertThat(vcpu.registers().rip())
          .as("KVM hides the registers of the new types only")
          .isEqualTo(0xfff0);
    }
  }

  @Test
  void aMirrorSharesTheKeyAndHasFewCommands() {
    Vm vm = kvm.createVm(VmType.SEV);
    try (Vm mirror = kvm.createVm(VmType.SEV);
        Vm other = kvm.createVm(VmType.SEV);
        Mapping ram = Mapping.anonymous(kernel, PAGE);
        Mapping buffer = Mapping.anonymous(kernel, PAGE)) {
      Sev copy = mirror.sev(processor);
      refused(() -> copy.copyContextFrom(vm), Errno.EINVAL, "KVM_ENABLE_CAP");
      byte[] plain = bytes(ram.segment());
      Sev sev = running(vm, 0, ram.segment());
      copy.copyContextFrom(vm);
      assertThat(copy.guestStatus()).isEqualTo(sev.guestStatus());
      copy.dbgDecrypt(ram.segment(), buffer.segment());
      assertThat(bytes(buffer.segment())).isEqualTo(plain);
      refused(copy::launchFinish, Errno.EINVAL, "KVM_SEV_LAUNCH_FINISH");
      refused(() -> copy.copyContextFrom(vm), Errno.EINVAL, "KVM_ENABLE_CAP");
      refused(() -> other.sev(processor).copyContextFrom(mirror), Errno.EINVAL, "KVM_ENABLE_CAP");
      vm.close();
      assertThat(copy.guestStatus().state()).isEqualTo(SevGuestState.RUNNING);
    }
  }

  @Test
  void aMovedGuestLeavesADeadVmBehind() {
    Vm vm = kvm.createVm(VmType.SEV_ES);
    Vm target = kvm.createVm(VmType.SEV_ES);
    try (Vm mirror = kvm.createVm(VmType.SEV_ES);
        Vm wrong = kvm.createVm(VmType.SEV)) {
      Sev sev = initialized(vm);
      Vcpu vcpu = vm.createVcpu(0);
      Sev moved = target.sev(processor);
      final Vcpu targetVcpu = target.createVcpu(0);
      sev.launchStart(ES_POLICY);
      refused(() -> moved.moveContextFrom(vm), Errno.EINVAL, "KVM_ENABLE_CAP");
      sev.launchUpdateVmsa();
      mirror.sev(processor).copyContextFrom(vm);
      refused(() -> wrong.sev(processor).moveContextFrom(vm), Errno.EINVAL, "KVM_ENABLE_CAP");
      assertThat(targetVcpu.registers().rip()).isEqualTo(0xfff0);
      moved.moveContextFrom(vm);
      assertThatThrownBy(targetVcpu::registers).isInstanceOf(KernelException.class);
      refused(vcpu::registers, Errno.EIO, "KVM_GET_REGS");
      refused(sev::guestStatus, Errno.EIO, "KVM_SEV_GUEST_STATUS");
      refused(moved::guestStatus, Errno.EBADF, "KVM_SEV_GUEST_STATUS");
      vm.close();
      target.close();
      assertThat(mirror.sev(processor).guestStatus().state()).isEqualTo(SevGuestState.LUPDATE);
    }
  }

  @Test
  void whatTheProcessorRefusesIsReportedAndStartsNothing() {
    try (Vm vm = kvm.createVm(VmType.SEV)) {
      Sev sev = vm.sev(processor);
      refused(() -> sev.launchStart(0), Errno.ENOTTY, "KVM_SEV_LAUNCH_START");
      failing = "INIT";
      refused(() -> sev.init(SevInit.usual()), Errno.EIO, "error=0x15 (SEV_RET_UNSUPPORTED)");
      failing = "ACTIVATE";
      sev.init(SevInit.usual());
      refused(() -> sev.launchStart(0), Errno.EIO, "error=0x15 (SEV_RET_UNSUPPORTED)");
      failing = "";
      refused(sev::guestStatus, Errno.EBADF, "KVM_SEV_GUEST_STATUS");
      sev.launchStart(0);
      refused(() -> sev.launchStart(0), Errno.EIO, "error=0xc (SEV_RET_ASID_OWNED)");
      assertThat(sev.guestStatus().state()).isEqualTo(SevGuestState.LUPDATE);
    }
  }

  @Test
  void aGuestCanShareTheKeyOfAnother() {
    try (Vm vm = kvm.createVm(VmType.SEV);
        Vm second = kvm.createVm(VmType.SEV);
        Mapping ram = Mapping.anonymous(kernel, PAGE);
        Mapping buffer = Mapping.anonymous(kernel, PAGE)) {
      Sev sev = initialized(vm);
      int handle = sev.launchStart(0);
      sev.launchUpdateData(ram.segment());
      Sev sharing = initialized(second);
      refused(
          () -> sharing.launchStart(0, 99, new byte[0], new byte[0]),
          Errno.EIO,
          "error=0x10 (SEV_RET_INVALID_GUEST)");
      refused(
          () -> sharing.launchStart(1, handle, new byte[0], new byte[0]),
          Errno.EIO,
          "SEV_RET_POLICY_FAILURE");
      sharing.launchStart(0, handle, new byte[0], new byte[0]);
      sharing.dbgDecrypt(ram.segment(), buffer.segment());
      assertThat(bytes(buffer.segment())).containsOnly(0);
    }
  }

  @Test
  void snpHasCommandsOfItsOwn() {
    try (Vm vm = kvm.createVm(VmType.SNP);
        Mapping content = Mapping.anonymous(kernel, PAGE)) {
      Sev sev = initialized(vm);
      Snp snp = vm.snp(processor);
      snp.enableCertificateRequests();
      refused(sev::guestStatus, Errno.EPERM, "KVM_SEV_GUEST_STATUS");
      vm.addPrivateSlot(0, 8 * PAGE, 0, vm.createGuestMemfd(8 * PAGE), 0);
      vm.setPrivate(0, 8 * PAGE, true);
      vm.createVcpu(0);
      refused(snp::enableCertificateRequests, Errno.EINVAL, "KVM_SEV_SNP_ENABLE_REQ_CERTS");
      refused(() -> snp.launchFinish(SnpFinish.plain()), Errno.EINVAL, "SNP_LAUNCH_FINISH");
      assertThatThrownBy(() -> snp.launchStart(0x3_0000, new byte[3]))
          .isInstanceOf(IllegalArgumentException.class);
      snp.launchStart(0x3_0000, new byte[16]);
      int pages = 0;
      for (SnpPageType type : SnpPageType.values()) {
        if (type != SnpPageType.ZERO) {
          snp.launchUpdate(pages++ * PAGE, type, content.segment());
        }
      }
      snp.launchUpdateZero(6 * PAGE, 2 * PAGE);
      snp.launchFinish(
          SnpFinish.plain()
              .withIdentity(new byte[96], new byte[4096], true)
              .withoutVcek()
              .withHostData(new byte[32]));
      refused(() -> snp.launchUpdateZero(PAGE, PAGE), Errno.EIO, "INVALID_GUEST_STATE");
      refused(() -> snp.launchFinish(SnpFinish.plain()), Errno.EINVAL, "SNP_LAUNCH_FINISH");
    }
  }

  @Test
  void theEndOfAnSnpLaunchHasPartsOfFixedSizes() {
    assertThatThrownBy(() -> SnpFinish.plain().withIdentity(new byte[95], new byte[4096], false))
        .hasMessage("an id block has 96 bytes, not 95");
    assertThatThrownBy(() -> SnpFinish.plain().withIdentity(new byte[96], new byte[1], false))
        .hasMessage("id authentication information has 4096 bytes, not 1");
    assertThatThrownBy(() -> SnpFinish.plain().withHostData(new byte[31]))
        .hasMessage("the host's data has 32 bytes, not 31");
  }

  @Test
  void aStateThatNobodyKnowsIsUnknown() {
    assertThat(SevGuestState.of(6)).isEqualTo(SevGuestState.SENT);
    assertThat(SevGuestState.of(7)).isEqualTo(SevGuestState.UNKNOWN);
    assertThat(SevGuestState.of(-1)).isEqualTo(SevGuestState.UNKNOWN);
  }
}
