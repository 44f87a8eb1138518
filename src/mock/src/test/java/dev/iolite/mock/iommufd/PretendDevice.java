package dev.iolite.mock.iommufd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.mock.core.IommuDevice;
import dev.iolite.mock.core.IommuDeviceGroup;
import dev.iolite.mock.core.Memory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A device that does what a test tells it. */
final class PretendDevice implements IommuDevice {
  static final Range MSI = new Range(0xfee0_0000L, 0xfeef_ffffL);

  private final String name;
  private final IommuDeviceGroup group;
  private final int pasidBits;
  private final boolean requestsPages;
  private Optional<Translation> translation = Optional.empty();
  private final Map<Integer, Translation> byPasid = new HashMap<>();

  PretendDevice(String name, IommuDeviceGroup group, int pasidBits, boolean requestsPages) {
    this.name = name;
    this.group = group;
    this.pasidBits = pasidBits;
    this.requestsPages = requestsPages;
    group.devices().add(this);
  }

  /** One without PASIDs. */
  static PretendDevice in(IommuDeviceGroup group) {
    return new PretendDevice("device " + group.devices().size(), group, 0, false);
  }

  /** One alone in its group. */
  static PretendDevice alone() {
    return in(new IommuDeviceGroup(1, true));
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Optional<IommuDeviceGroup> group() {
    return Optional.of(group);
  }

  @Override
  public List<Range> reserved() {
    return List.of(MSI);
  }

  @Override
  public int pasidBits() {
    return pasidBits;
  }

  @Override
  public boolean requestsPages() {
    return requestsPages;
  }

  @Override
  public void translateBy(Optional<Translation> by) {
    translation = by;
  }

  @Override
  public void translatePasidBy(int pasid, Optional<Translation> by) {
    byPasid.remove(pasid);
    by.ifPresent(its -> byPasid.put(pasid, its));
  }

  boolean isBlocked() {
    return translation.isEmpty();
  }

  Translation dma() {
    return translation.orElseThrow();
  }

  Translation dma(int pasid) {
    return Optional.ofNullable(byPasid.get(pasid)).orElseThrow();
  }

  long read(long iova) {
    MemorySegment word = MemorySegment.ofArray(new long[1]);
    dma().read(iova, word);
    return word.get(ValueLayout.JAVA_LONG, 0);
  }

  void write(long iova, long value) {
    dma().write(iova, MemorySegment.ofArray(new long[] {value}));
  }

  void faultsReading(long iova) {
    assertThatThrownBy(() -> read(iova)).isInstanceOf(Memory.Unreachable.class);
  }

  void faultsWriting(long iova) {
    assertThatThrownBy(() -> write(iova, 1)).isInstanceOf(Memory.Unreachable.class);
  }

  void reads(long iova, long value) {
    assertThat(read(iova)).isEqualTo(value);
  }
}
