package dev.iolite.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_region_info;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;

class CapabilityChainTest {
  private static final int FIXED = (int) vfio_region_info.sizeof();
  private static final int BYTES = 160;

  private final ByteBuffer reply = ByteBuffer.allocateDirect(BYTES).order(ByteOrder.LITTLE_ENDIAN);

  @Test
  void isEmptyWithoutAnOffset() {
    assertThat(decode(0)).isEmpty();
  }

  @Test
  void decodesWhatItKnows() {
    header(32, Vfio.VFIO_REGION_INFO_CAP_MSIX_MAPPABLE(), 1, 40);
    header(40, Vfio.VFIO_REGION_INFO_CAP_TYPE(), 1, 56);
    reply.putInt(48, Vfio.VFIO_REGION_TYPE_GFX()).putInt(52, 7);
    header(56, Vfio.VFIO_REGION_INFO_CAP_SPARSE_MMAP(), 1, 0);
    reply.putInt(64, 2).putLong(72, 0).putLong(80, 0x1000).putLong(88, 0x3000).putLong(96, 0x2000);

    assertThat(decode(32))
        .containsExactly(
            new Capability.MsixMappable(),
            new Capability.RegionType(Vfio.VFIO_REGION_TYPE_GFX(), 7),
            new Capability.SparseMmap(
                List.of(new ByteRange(0, 0x1000), new ByteRange(0x3000, 0x2000))));
  }

  @Test
  void decodesADevicesAtomics() {
    header(32, Vfio.VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP(), 1, 0);
    reply.putInt(40, 3);

    assertThat(
            CapabilityChain.decode(
                "CALL", MemorySegment.ofBuffer(reply), FIXED, 32, Capabilities::ofDevice))
        .containsExactly(new Capability.AtomicCompletion(3));
  }

  @Test
  void keepsWhatItDoesNotKnow() {
    header(32, 0xfffe, 1, 48);
    reply.putLong(40, 0x0807_0605_0403_0201L);
    header(48, Vfio.VFIO_REGION_INFO_CAP_TYPE(), 2, 0);

    List<Capability> chain = decode(32);

    assertThat(chain.getFirst()).isEqualTo(new Capability.Unknown(0xfffe, 1, "0102030405060708"));
    assertThat(chain.getLast())
        .isInstanceOfSatisfying(
            Capability.Unknown.class,
            unknown -> {
              assertThat(unknown.id()).isEqualTo(Vfio.VFIO_REGION_INFO_CAP_TYPE());
              assertThat(unknown.version()).isEqualTo(2);
              assertThat(unknown.hex()).hasSize(2 * (BYTES - 56));
            });
  }

  @Test
  void takesAChainThatGoesBackButNotRound() {
    header(64, 0xfffe, 1, 40);
    header(40, Vfio.VFIO_REGION_INFO_CAP_MSIX_MAPPABLE(), 1, 0);

    assertThat(decode(64)).hasSize(2).contains(new Capability.MsixMappable());
  }

  @Test
  void refusesAChainThatNamesItself() {
    header(32, 1000, 1, 32);

    assertMalformed(32, "comes back to offset 32");
  }

  @Test
  void refusesAChainThatGoesRound() {
    header(32, 1000, 1, 48);
    header(48, 1001, 1, 32);

    assertMalformed(32, "comes back to offset 32");
  }

  @Test
  void refusesAnOffsetBeyondTheReply() {
    header(32, 1000, 1, BYTES);

    assertMalformed(32, "beyond the reply of 160 bytes");
  }

  @Test
  void refusesAHugeOffset() {
    assertMalformed(0xffff_fff8, "offset 4294967288, which is beyond");
  }

  @Test
  void refusesAHeaderCutShort() {
    ByteBuffer cut = reply.slice(0, 36);

    assertThatThrownBy(() ->
            CapabilityChain.decode(
                "CALL", MemorySegment.ofBuffer(cut), FIXED, 32, Capabilities::ofRegion))
        .isInstanceOf(MalformedReplyException.class)
        .hasMessageContaining("beyond the reply of 36 bytes");
  }

  @Test
  void refusesAMisalignedOffset() {
    assertMalformed(36, "offset 36, which is no multiple of 8");
  }

  @Test
  void refusesANextOneInsideTheHeaderOfAnother() {
    header(32, 1000, 1, 39);

    assertMalformed(32, "offset 39, which is no multiple of 8");
  }

  @Test
  void refusesAnOffsetInsideTheStruct() {
    assertMalformed(8, "inside the struct of 32 bytes");
  }

  @Test
  void refusesACapabilityCutShort() {
    header(152, Vfio.VFIO_REGION_INFO_CAP_TYPE(), 1, 0);

    assertMalformed(152, "capability 2 has 8 bytes, not the 16 it needs");
  }

  @Test
  void refusesMoreAreasThanThereIsRoomFor() {
    header(32, Vfio.VFIO_REGION_INFO_CAP_SPARSE_MMAP(), 1, 0);
    reply.putInt(40, -1);

    assertMalformed(32, "capability 1 has 128 bytes");
  }

  private void header(int offset, int id, int version, int next) {
    reply
        .putShort(offset, (short) id)
        .putShort(offset + 2, (short) version)
        .putInt(offset + 4, next);
  }

  private List<Capability> decode(int first) {
    return CapabilityChain.decode(
        "CALL", MemorySegment.ofBuffer(reply), FIXED, first, Capabilities::ofRegion);
  }

  private void assertMalformed(int first, String fault) {
    assertThatThrownBy(() -> decode(first))
        .isInstanceOf(MalformedReplyException.class)
        .hasMessageStartingWith("CALL replied against its own rules")
        .hasMessageContaining(fault);
  }
}
