package dev.iolite.tdi.profile;

import dev.iolite.iommufd.Vdevice;
import dev.iolite.kernel.Fd;
import dev.iolite.tsm.TdiState;

/** A binding whose requests have an operation and an architecture. */
abstract class ArchBinding extends VdeviceBinding {
  private final AbstractProfile profile;
  private final ArchRequest request;

  ArchBinding(AbstractProfile profile, ArchRequest request, Fd iommufd, Vdevice vdevice) {
    super(profile, iommufd, vdevice);
    this.profile = profile;
    this.request = request;
  }

  @Override
  public final void setState(TdiState to) {
    request.setState(iommufd(), vdevice().id(), to);
  }

  @Override
  public final void validateMmio(long gpaBase, long gpaTop, long physical) {
    request.validateMmio(iommufd(), vdevice().id(), gpaBase, gpaTop, physical);
  }

  @Override
  public final void enableDma() {
    switchDma(TsmOperation.ENABLE_DMA);
  }

  @Override
  public final void disableDma() {
    switchDma(TsmOperation.DISABLE_DMA);
  }

  private void switchDma(TsmOperation operation) {
    if (!profile.operations().contains(operation)) {
      throw profile.unsupported(operation);
    }
    request.switchDma(iommufd(), vdevice().id(), operation == TsmOperation.ENABLE_DMA);
  }
}
