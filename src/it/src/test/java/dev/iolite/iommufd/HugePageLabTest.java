package dev.iolite.iommufd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.HugePage;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.MemFd;
import dev.iolite.kernel.SysFs;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Huge pages, of which the lab's host has some for the time of a test. */
@Tag("lab")
class HugePageLabTest {
  private static final String RESERVED = "/proc/sys/vm/nr_hugepages";
  private static final String FREE = "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages";
  private static final HugePage PAGE = HugePage.MIB_2;

  private final Kernel kernel = new HostKernel();
  private final SysFs files = new SysFs(kernel);
  private final CloseStack opened = new CloseStack();

  @BeforeEach
  void reserve() {
    files.write(RESERVED, "4");
    assertThat(free()).isEqualTo(4);
  }

  @AfterEach
  void release() {
    opened.close();
    files.write(RESERVED, "0");
  }

  private long free() {
    return Long.parseLong(files.read(FREE).strip());
  }

  @Test
  void memoryIsOfHugePages() {
    Mapping memory = opened.push(Mapping.anonymous(kernel, 2 * PAGE.bytes(), PAGE));
    assertThat(memory.address() % PAGE.bytes()).isZero();
    memory.segment().set(ValueLayout.JAVA_LONG, PAGE.bytes(), 1);
    assertThat(free()).isEqualTo(3);
  }

  @Test
  void aFileIsOfHugePages() {
    MemFd file = opened.push(MemFd.create(kernel, "lab", 2 * PAGE.bytes(), PAGE));
    Mapping memory = opened.push(file.map());
    memory.segment().fill((byte) 1);
    assertThat(free()).isEqualTo(2);
    Iommufd iommufd = opened.push(Iommufd.open(kernel));
    iommufd.allocIoas().mapFileAnywhere(file.fd(), 0, file.bytes(), IovaAccess.READ_WRITE);
  }

  @Test
  void aPoolIsOfHugePagesAndAligned() {
    Iommufd iommufd = opened.push(Iommufd.open(kernel));
    DmaPool pool = opened.push(DmaPool.of(kernel, iommufd.allocIoas(), 2 * PAGE.bytes(), PAGE));
    DmaBuffer buffer = pool.take(PAGE.bytes(), PAGE.bytes()).orElseThrow();
    assertThat(buffer.iova() % PAGE.bytes()).isZero();
    assertThat(buffer.memory().address() % PAGE.bytes()).isZero();
    assertThat(free()).isLessThan(4);
  }
}
