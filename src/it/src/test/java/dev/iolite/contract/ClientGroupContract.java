package dev.iolite.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.IovaAccess;
import dev.iolite.iommufd.IovaRange;
import dev.iolite.kernel.DirtyBitmap;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Mapping;
import dev.iolite.vfio.ContainerExtension;
import dev.iolite.vfio.GroupStatus;
import dev.iolite.vfio.GroupVfioDevice;
import dev.iolite.vfio.IrqSet;
import dev.iolite.vfio.PciIrq;
import dev.iolite.vfio.PciRegion;
import dev.iolite.vfio.Type1DirtyTracking;
import dev.iolite.vfio.Type1Info;
import dev.iolite.vfio.Type1Iommu;
import dev.iolite.vfio.VfioContainer;
import dev.iolite.vfio.VfioGroup;
import dev.iolite.vfio.VfioInfo;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** A group, its container and what is mapped in it, through the client's classes. */
abstract class ClientGroupContract extends ClientContract {
  private static final long IOVA = 0x10_0000;

  ClientGroupContract(Backend backend) {
    super(backend, Backend.EDU);
  }

  private VfioGroup group() {
    return push(
        VfioGroup.open(kernel, "/dev/vfio/" + sysfs.linkName(file("iommu_group")).orElseThrow()));
  }

  private Type1Iommu type1(VfioGroup group, ContainerExtension type) {
    VfioContainer container = push(VfioContainer.open(kernel));
    group.setContainer(container);
    return container.setIommu(type);
  }

  private Type1Iommu type1() {
    return type1(group(), ContainerExtension.TYPE1_V2_IOMMU);
  }

  @Test
  void aGroupEntersAContainerAndLeavesIt() {
    // group.c:vfio_group_ioctl_set_container, vfio_group_ioctl_unset_container
    VfioGroup group = group();
    assertThat(group.status()).isEqualTo(new GroupStatus(true, false));
    refuses(Errno.EINVAL, group::unsetContainer);
    refuses(Errno.EINVAL, () -> group.device(Backend.EDU));
    VfioContainer container = push(VfioContainer.open(kernel));
    assertThat(container.apiVersion()).isZero();
    refuses(Errno.EINVAL, () -> container.setIommu(ContainerExtension.TYPE1_V2_IOMMU));
    group.setContainer(container);
    assertThat(group.status()).isEqualTo(new GroupStatus(true, true));
    refuses(Errno.EINVAL, () -> group.setContainer(container));
    container.setIommu(ContainerExtension.TYPE1_V2_IOMMU);
    GroupVfioDevice device = push(group.device(Backend.EDU));
    refuses(Errno.EBUSY, group::unsetContainer);
    refuses(Errno.ENODEV, () -> group.device("0000:00:1f.7"));
    refuses(Errno.EINVAL, () -> group.device(Backend.EDU, new UUID(1, 2)));
    device.close();
    group.unsetContainer();
    assertThat(group.status()).isEqualTo(new GroupStatus(true, false));
  }

  @Test
  void aContainerTellsItsExtensions() {
    // vfio_iommu_type1.c:vfio_iommu_type1_check_extension
    VfioContainer container = push(VfioContainer.open(kernel));
    assertThat(ContainerExtension.values())
        .filteredOn(container::check)
        .containsExactly(
            ContainerExtension.TYPE1_IOMMU,
            ContainerExtension.TYPE1_V2_IOMMU,
            ContainerExtension.UNMAP_ALL);
    VfioGroup group = group();
    group.setContainer(container);
    container.setIommu(ContainerExtension.TYPE1_V2_IOMMU);
    assertThat(container.check(ContainerExtension.UPDATE_VADDR)).isTrue();
    assertThat(container.check(ContainerExtension.NOIOMMU_IOMMU)).isFalse();
  }

  @Test
  void aDeviceOfAGroupIsUsedLikeAnyOther() {
    // group.c:vfio_group_ioctl_get_device_fd
    VfioGroup group = group();
    type1(group, ContainerExtension.TYPE1_V2_IOMMU);
    GroupVfioDevice device = push(group.device(Backend.EDU));
    assertThat(VfioInfo.of(device).device().isPci()).isTrue();
    device.config().setMemoryDecode(true);
    assertThat(device.region(PciRegion.BAR0).read32(0)).isEqualTo(EDU_ID);
    EventFd event = event();
    IrqSet messages = push(device.irqs(PciIrq.MSI));
    messages.enable(List.of(event));
    messages.trigger(0);
    assertThat(event.await(SOON)).isEqualTo(1);
  }

  @Test
  void theIommuTellsWhatItCanDo() {
    // vfio_iommu_type1.c:vfio_iommu_type1_get_info
    Type1Iommu iommu = type1();
    Type1Info info = iommu.info();
    assertThat(info.pageSizes()).isEqualTo(0x4020_1000);
    assertThat(info.pageBytes()).isEqualTo(PAGE);
    assertThat(info.iovaRanges())
        .containsExactly(
            new IovaRange(0, 0xfedf_ffffL), new IovaRange(0xfef0_0000L, 0x7f_ffff_ffffL));
    assertThat(info.mappingsLeft()).hasValue(65_535);
    assertThat(info.dirtyTracking().orElseThrow().maxBitmapBytes()).isEqualTo(256 << 20);
    assertThat(info.capabilities()).hasSize(3);
  }

  @Test
  void memoryIsMappedAndUnmapped() {
    // vfio_iommu_type1.c:vfio_dma_do_map, vfio_dma_do_unmap
    VfioGroup group = group();
    Type1Iommu iommu = type1(group, ContainerExtension.TYPE1_V2_IOMMU);
    GroupVfioDevice device = push(group.device(Backend.EDU));
    device.config().setMemoryDecode(true);
    device.config().setBusMaster(true);
    Mapping ram = pages(2);
    Mapping other = pages(1);
    iommu.map(IOVA, ram.segment(), IovaAccess.READ);
    refuses(Errno.EEXIST, () -> iommu.map(IOVA + PAGE, other.segment(), IovaAccess.READ_WRITE));
    iommu.map(2 * IOVA, other.segment(), IovaAccess.READ_WRITE);
    setValue(ram.address(), 7);
    copy(device.fd().number(), IOVA, 2 * IOVA);
    assertThat(value(other.address())).isEqualTo(7);
    setValue(other.address(), 8);
    copy(device.fd().number(), 2 * IOVA, IOVA);
    assertThat(value(ram.address())).as("mapped for reading").isEqualTo(7);
    refuses(Errno.EINVAL, () -> iommu.unmap(IovaRange.of(IOVA, PAGE)));
    assertThat(iommu.unmap(IovaRange.of(IOVA, 4 * PAGE))).isEqualTo(2 * PAGE);
    assertThat(iommu.unmapAll()).isEqualTo(PAGE);
    assertThat(iommu.unmapAll()).isZero();
  }

  @Test
  void whatIsPinnedIsDirty() {
    // vfio_iommu_type1.c:vfio_iommu_type1_dirty_pages, update_user_bitmap
    Type1Iommu iommu = type1();
    Mapping ram = pages(3);
    iommu.map(IOVA, ram.segment(), IovaAccess.READ_WRITE);
    Type1DirtyTracking tracking = iommu.dirtyTracking().orElseThrow();
    DirtyBitmap dirty = push(new DirtyBitmap(IOVA, 3 * PAGE, PAGE));
    refuses(Errno.EINVAL, () -> tracking.read(dirty));
    refuses(Errno.EINVAL, () -> iommu.unmap(dirty));
    tracking.start();
    tracking.read(dirty);
    assertThat(dirty.count()).isEqualTo(3);
    dirty.clear();
    DirtyBitmap large = push(new DirtyBitmap(0, 2 << 20, 2 << 20));
    refuses(Errno.EINVAL, () -> tracking.read(large));
    assertThat(iommu.unmap(dirty)).isEqualTo(3 * PAGE);
    assertThat(dirty.count()).isEqualTo(3);
    tracking.stop();
  }

  @Test
  void whatOthersReportedStaysDirty() {
    // vfio_iommu_type1.c:update_user_bitmap: whole words are copied over the caller's
    Type1Iommu iommu = type1();
    iommu.map(IOVA + PAGE, pages(1).segment(), IovaAccess.READ_WRITE);
    Type1DirtyTracking tracking = iommu.dirtyTracking().orElseThrow();
    tracking.start();
    DirtyBitmap dirty = push(new DirtyBitmap(IOVA, 3 * PAGE, PAGE));
    report(dirty, 1 << 2);
    tracking.read(dirty);
    assertThat(dirty.nextDirty(0)).isEqualTo(1);
    assertThat(dirty.isDirty(2)).isTrue();
    dirty.clear();
    report(dirty, 1 << 2);
    assertThat(iommu.unmap(dirty)).isEqualTo(PAGE);
    assertThat(dirty.nextDirty(0)).isEqualTo(1);
    assertThat(dirty.isDirty(2)).isTrue();
  }

  private static void report(DirtyBitmap dirty, long pages) {
    dirty.bits().set(ValueLayout.JAVA_LONG, 0, pages);
  }

  @Test
  void theFirstVersionTracksNothing() {
    // vfio_iommu_type1.c:vfio_iommu_type1_dirty_pages: v2
    Type1Iommu iommu = type1(group(), ContainerExtension.TYPE1_IOMMU);
    assertThat(iommu.info().dirtyTracking()).as("it says so all the same").isPresent();
    assertThat(iommu.dirtyTracking()).isEmpty();
  }

  @Test
  void addressesAreInvalidatedAndUpdated() {
    // vfio_iommu_type1.c: VFIO_DMA_UNMAP_FLAG_VADDR, VFIO_DMA_MAP_FLAG_VADDR
    Type1Iommu iommu = type1();
    Mapping ram = pages(2);
    iommu.map(IOVA, ram.segment(), IovaAccess.READ_WRITE);
    refuses(Errno.EINVAL, () -> iommu.updateAddress(IOVA, ram.segment()));
    assertThat(iommu.invalidateAddresses(IovaRange.of(IOVA, 2 * PAGE))).isEqualTo(2 * PAGE);
    refuses(Errno.EINVAL, () -> iommu.invalidateAddresses(IovaRange.of(IOVA, 2 * PAGE)));
    Mapping one = pages(1);
    refuses(Errno.EINVAL, () -> iommu.updateAddress(IOVA + PAGE, one.segment()));
    refuses(Errno.ENOENT, () -> iommu.updateAddress(2 * IOVA, ram.segment()));
    iommu.updateAddress(IOVA, ram.segment());
    assertThat(iommu.invalidateAddresses(IovaRange.ALL)).isEqualTo(2 * PAGE);
    iommu.updateAddress(IOVA, ram.segment());
    assertThat(iommu.unmap(IovaRange.ALL)).isEqualTo(2 * PAGE);
    assertThat(iommu.unmapAll()).isZero();
  }

  @Test
  void anIommufdStandsInForAContainer() {
    // vfio_compat.c:iommufd_vfio_ioctl
    Iommufd client = client();
    VfioGroup group = group();
    VfioContainer container = push(VfioContainer.of(client));
    assertThat(container.apiVersion()).isZero();
    assertThat(container.check(ContainerExtension.TYPE1_V2_IOMMU)).isTrue();
    assertThat(container.check(ContainerExtension.UPDATE_VADDR)).isFalse();
    refuses(Errno.ENODEV, () -> container.check(ContainerExtension.DMA_CC));
    refuses(Errno.ENODEV, () -> container.setIommu(ContainerExtension.TYPE1_V2_IOMMU));
    group.setContainer(client);
    Type1Iommu iommu = container.setIommu(ContainerExtension.TYPE1_V2_IOMMU);
    GroupVfioDevice device = push(group.device(Backend.EDU));
    iommu.map(IOVA, pages(1).segment(), IovaAccess.READ_WRITE);
    assertThat(iommu.info().iovaRanges()).hasSize(2);
    assertThat(iommu.dirtyTracking()).isEmpty();
    iommu.map(2 * IOVA, pages(2).segment(), IovaAccess.READ_WRITE);
    assertThat(iommu.unmap(IovaRange.of(4 * IOVA, PAGE))).as("nothing is there").isZero();
    assertThatThrownBy(() -> iommu.unmap(new IovaRange(IOVA, 2 * IOVA + PAGE - 1)))
        .isInstanceOfSatisfying(
            KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT))
        .hasMessageContaining("the range cuts a mapping");
    assertThat(iommu.unmapAll()).as("what was below is unmapped").isEqualTo(2 * PAGE);
    group.unsetContainer();
    assertThat(device.info().isPci()).as("it stays open").isTrue();
    container.close();
    assertThat(iommu.unmapAll()).as("the iommufd is open").isZero();
    client.close();
    // A number that is closed may be another file's.
    assertThatIllegalStateException().isThrownBy(iommu::unmapAll);
    assertThatIllegalStateException().isThrownBy(container::apiVersion);
  }
}
