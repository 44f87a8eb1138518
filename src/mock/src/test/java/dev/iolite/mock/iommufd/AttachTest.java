package dev.iolite.mock.iommufd;

import static dev.iolite.mock.iommufd.Machine.PAGE;
import static dev.iolite.mock.iommufd.Machine.USUAL;
import static dev.iolite.mock.iommufd.Machine.hwptOf;
import static dev.iolite.mock.iommufd.Machine.mapOf;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.IommuDevice;
import dev.iolite.mock.core.IommuDeviceGroup;
import dev.iolite.mock.core.IommufdContext;
import dev.iolite.mock.core.IommufdContext.BoundDevice;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_hwpt_alloc;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Devices in a context, and the page tables that their group uses. */
class AttachTest {
  private final VtdIommu scalable = VtdIommu.scalable();
  private final VtdIommu legacy = VtdIommu.likeQemu();
  private final Map<IommuDevice, Iommu> elsewhere = new HashMap<>();
  private final Machine machine = new Machine(device -> elsewhere.getOrDefault(device, scalable));
  private final IommuDeviceGroup group = new IommuDeviceGroup(7, true);
  private final PretendDevice first = PretendDevice.in(group);
  private final PretendDevice second = PretendDevice.in(group);
  private final BoundDevice firstBound = machine.bind(first);

  private Optional<Errno> attach(BoundDevice device, int pageTable) {
    return machine.refusal(() -> device.attach(pageTable));
  }

  private void detach(BoundDevice device) {
    machine.call(() -> {
      device.detach();
      return 0;
    });
  }

  @Test
  void aGroupIsOneContextsAtATime() {
    IommufdContext other = machine.openIommufd();
    assertThat(machine.refusal(() -> other.bind(second))).contains(Errno.EPERM);
    machine.call(() -> {
      firstBound.unbind();
      return other.bind(second);
    });
    assertThat(machine.refusedBind(first)).contains(Errno.EPERM);
  }

  @Test
  void interruptsMustBeIsolated() {
    assertThat(machine.refusedBind(PretendDevice.in(new IommuDeviceGroup(8, false))))
        .contains(Errno.EPERM);
  }

  @Test
  void aBoundDeviceKeepsItsContextAndItsId() {
    assertThat(firstBound.id()).isEqualTo(1);
    machine.failsToDestroy(Errno.EBUSY, firstBound.id());
    int ioas = machine.ioas();
    assertThat(attach(firstBound, ioas)).isEmpty();
    machine.map(ioas, USUAL, machine.ram(PAGE), PAGE, 0x10000);
    machine.closeIommufd();
    first.reads(0x10000, 0);
    machine.call(() -> {
      firstBound.detach();
      firstBound.unbind();
      return 0;
    });
    assertThat(group.owner()).isEmpty();
  }

  @Test
  void theWholeGroupMovesWithItsFirstDevice() {
    BoundDevice secondBound = machine.bind(second);
    int ioas = machine.ioas();
    int other = machine.ioas();
    assertThat(attach(firstBound, ioas)).isEmpty();
    assertThat(second.isBlocked()).isFalse();
    assertThat(attach(secondBound, other)).contains(Errno.EINVAL);
    assertThat(attach(secondBound, ioas)).isEmpty();
    detach(firstBound);
    assertThat(first.isBlocked()).isFalse();
    detach(secondBound);
    assertThat(first.isBlocked()).isTrue();
    machine.destroy(ioas);
  }

  @Test
  void anAutomaticPageTableGoesWithItsLastDevice() {
    int ioas = machine.ioas();
    int hwpt = machine.call(() -> firstBound.attach(ioas));
    machine.failsToDestroy(Errno.EBUSY, ioas);
    machine.failsToDestroy(Errno.EBUSY, hwpt);
    detach(firstBound);
    machine.failsToDestroy(Errno.ENOENT, hwpt);
    machine.destroy(ioas);
  }

  @Test
  void twoDevicesShareAnAutomaticPageTable() {
    PretendDevice third = PretendDevice.alone();
    BoundDevice thirdBound = machine.bind(third);
    int ioas = machine.ioas();
    int hwpt = machine.call(() -> firstBound.attach(ioas));
    assertThat(machine.<Integer>call(() -> thirdBound.attach(ioas))).isEqualTo(hwpt);
  }

  @Test
  void devicesBehindUnlikeIommusDoNot() {
    PretendDevice third = PretendDevice.alone();
    elsewhere.put(third, legacy);
    BoundDevice thirdBound = machine.bind(third);
    int ioas = machine.ioas();
    int hwpt = machine.call(() -> firstBound.attach(ioas));
    assertThat(machine.<Integer>call(() -> thirdBound.attach(ioas))).isNotEqualTo(hwpt);
    int made = machine.hwpt(0, firstBound.id(), ioas);
    assertThat(attach(thirdBound, made)).contains(Errno.EINVAL);
  }

  @Test
  void aReplacedPageTableIsLeftByAllOfTheGroup() {
    BoundDevice secondBound = machine.bind(second);
    int ioas = machine.ioas();
    int other = machine.ioas();
    machine.call(() -> firstBound.attach(ioas));
    machine.call(() -> secondBound.attach(ioas));
    machine.map(other, USUAL, machine.ram(PAGE), PAGE, 0x10000);
    assertThat(attach(firstBound, other)).isEmpty();
    second.reads(0x10000, 0);
    machine.destroy(ioas);
    machine.fails(
        Errno.EINVAL,
        IommufdIoctls.IOMMU_IOAS_MAP,
        mapOf(other, USUAL, machine.ram(PAGE), PAGE, PretendDevice.MSI.first()));
  }

  @Test
  void whatADeviceReservesMustBeFree() {
    int ioas = machine.ioas();
    machine.map(ioas, USUAL, machine.ram(PAGE), PAGE, PretendDevice.MSI.first());
    assertThat(attach(firstBound, ioas)).contains(Errno.EADDRINUSE);
    machine.unmap(ioas, PretendDevice.MSI.first(), PAGE);
    assertThat(attach(firstBound, ioas)).isEmpty();
  }

  @Test
  void aFailedReplacementLeavesTheDeviceWhereItWas() {
    int ioas = machine.ioas();
    int other = machine.ioas();
    int hwpt = machine.call(() -> firstBound.attach(ioas));
    machine.map(other, USUAL, machine.ram(PAGE), PAGE, PretendDevice.MSI.first());
    assertThat(attach(firstBound, other)).contains(Errno.EADDRINUSE);
    assertThat(attach(firstBound, firstBound.id())).contains(Errno.EINVAL);
    assertThat(attach(firstBound, 4711)).contains(Errno.ENOENT);
    assertThat(machine.<Integer>call(() -> firstBound.attach(ioas))).isEqualTo(hwpt);
    machine.destroy(other);
  }

  @Test
  void pasidsHavePageTablesOfTheirOwn() {
    var device = new PretendDevice("pasids", new IommuDeviceGroup(9, true), 4, false);
    BoundDevice bound = machine.bind(device);
    int ioas = machine.ioas();
    int forPasids = machine.hwpt(Iommufd.IOMMU_HWPT_ALLOC_PASID(), bound.id(), ioas);
    int plain = machine.hwpt(0, bound.id(), ioas);
    assertThat(machine.refusal(() -> bound.attachPasid(3, plain))).contains(Errno.EINVAL);
    assertThat(machine.refusal(() -> bound.attachPasid(3, ioas))).contains(Errno.EINVAL);
    assertThat(machine.refusal(() -> bound.attachPasid(16, forPasids))).contains(Errno.EINVAL);
    assertThat(machine.refusal(() -> bound.attachPasid(3, forPasids))).isEmpty();
    assertThat(attach(bound, plain)).contains(Errno.EINVAL);
    machine.map(ioas, USUAL, machine.ram(PAGE), PAGE, 0x10000);
    assertThat(device.dma(3).mappings()).hasSize(1);
    assertThat(device.isBlocked()).isTrue();
    assertThat(bound.isPasidAttached(3)).isTrue();
    machine.call(() -> {
      bound.detachPasid(3);
      return 0;
    });
    assertThat(attach(bound, plain)).isEmpty();
    assertThat(machine.refusal(() -> bound.attachPasid(3, forPasids))).contains(Errno.EINVAL);
  }

  @Test
  void aGuestsTablesAreWalkedOnTopOfTheHosts() {
    int ioas = machine.ioas();
    int parent = machine.hwpt(Iommufd.IOMMU_HWPT_ALLOC_NEST_PARENT(), firstBound.id(), ioas);
    long ram = machine.ram(8 * PAGE);
    machine.map(ioas, USUAL, ram, 8 * PAGE, 0);
    var tables = new GuestTables(machine.task().user(), ram);
    var alloc = hwptOf(0, firstBound.id(), parent);
    tables.describe(alloc);
    machine.succeeds(IommufdIoctls.IOMMU_HWPT_ALLOC, alloc);
    int nested = iommu_hwpt_alloc.out_hwpt_id(alloc);
    machine.call(() -> firstBound.attach(nested));
    first.write(GuestTables.VIRTUAL + 8, 4711);
    assertThat(tables.dataWord(1)).isEqualTo(4711);
    first.faultsReading(GuestTables.VIRTUAL + PAGE);
    machine.failsToDestroy(Errno.EBUSY, parent);
    machine.fails(
        Errno.EINVAL,
        IommufdIoctls.IOMMU_IOAS_MAP,
        mapOf(ioas, USUAL & ~Machine.WRITE, ram, PAGE, 0x100000));
  }
}
