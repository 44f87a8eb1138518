package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.uapi.catalog.DmaBufIoctls;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.catalog.UapiCatalog;
import dev.iolite.uapi.catalog.UapiConstant;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Predicate;
import org.assertj.core.groups.Tuple;
import org.junit.jupiter.api.Test;

class IommufdIoctlsTest {
  private static final int IOMMUFD_TYPE = ';';

  @Test
  void everyCommandOfTheIommufdHeaderIsThereOnce() {
    assertThat(IommufdIoctls.all())
        .extracting(Ioctl::name, Ioctl::number)
        .containsExactlyInAnyOrderElementsOf(
            commands("iommufd", constant -> constant.value() >>> 7 == (IOMMUFD_TYPE << 1 | 1)));
  }

  @Test
  void everyCommandOfTheDmaBufHeadersIsThereOnceButTheOneWithANumberTwice() {
    assertThat(DmaBufIoctls.all())
        .extracting(Ioctl::name, Ioctl::number)
        .containsExactlyInAnyOrderElementsOf(
            commands(
                "dmabuf",
                constant ->
                    constant.value() > 0xffff && !constant.name().equals("DMA_BUF_SET_NAME_B")));
  }

  @Test
  void noTwoCommandsOfOneKindOfDescriptorHaveTheSameNumber() {
    assertThat(IommufdIoctls.all()).extracting(Ioctl::number).doesNotHaveDuplicates();
    assertThat(DmaBufIoctls.all()).extracting(Ioctl::number).doesNotHaveDuplicates();
    assertThat(IommufdIoctls.all()).extracting(Ioctl::on).containsOnly(FdKind.IOMMUFD);
  }

  @Test
  void everyIommufdStructBeginsWithItsSize() {
    assertThat(IommufdIoctls.all())
        .allSatisfy(command ->
            assertThat(StructText.of(command.argument().orElseThrow(), zeros(command)))
                .startsWith("{size=0"));
  }

  private static MemorySegment zeros(Ioctl command) {
    return MemorySegment.ofArray(new byte[(int) command.argument().orElseThrow().byteSize()]);
  }

  private static List<Tuple> commands(String header, Predicate<UapiConstant> isCommand) {
    return UapiCatalog.constants().stream()
        .filter(constant -> constant.packageName().equals(header))
        .filter(isCommand)
        .map(constant -> Tuple.tuple(constant.name(), constant.value()))
        .toList();
  }
}
