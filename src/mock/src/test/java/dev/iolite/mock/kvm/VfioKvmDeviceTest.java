package dev.iolite.mock.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.mock.core.CallerEventFd;
import dev.iolite.mock.core.HostUserMemory;
import dev.iolite.mock.core.KvmReference;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.Tree;
import dev.iolite.mock.core.VfioFile;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_create_device;
import dev.iolite.uapi.kvm.kvm_device_attr;
import dev.iolite.uapi.kvm.kvm_ioeventfd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** virt/kvm/vfio.c. */
class VfioKvmDeviceTest {
  /** A VFIO file that remembers what it was told. */
  private static final class Device extends OpenFile implements VfioFile {
    private Optional<KvmReference> vm = Optional.empty();
    private boolean released;

    Device(Task task) {
      super(task);
    }

    @Override
    public String name() {
      return "device";
    }

    @Override
    public void setKvm(Optional<KvmReference> of) {
      vm = of;
    }

    @Override
    protected void release() {
      released = true;
    }
  }

  private final HostKernel host = new HostKernel();
  private final HostUserMemory user = new HostUserMemory(host);
  private final Task task = new Task(host, user);
  private final Tree tree = new Tree(task);
  private final Arena arena = Arena.ofAuto();
  private final Device device = new Device(task);
  private int vm;
  private int vfio;

  @BeforeEach
  void makeVm() {
    task.enter();
    KvmDriver.install(task, tree, KvmSetup.on(KvmPlatform.plain()));
    vm = tree.open("/dev/kvm", 0).ioctl(Kvm.KVM_CREATE_VM(), 0);
    vfio = create(Kvm.KVM_DEV_TYPE_VFIO(), 0);
  }

  @AfterEach
  void done() {
    task.leave();
    user.close();
  }

  private int create(int type, int flags) {
    MemorySegment argument = kvm_create_device.allocate(arena);
    kvm_create_device.type(argument, type);
    kvm_create_device.flags(argument, flags);
    task.descriptors().get(vm).ioctl((int) Kvm.KVM_CREATE_DEVICE(), argument.address());
    return kvm_create_device.fd(argument);
  }

  private void attribute(long request, int group, long attribute, int fd) {
    MemorySegment number = arena.allocateFrom(ValueLayout.JAVA_INT, fd);
    MemorySegment argument = kvm_device_attr.allocate(arena);
    kvm_device_attr.group(argument, group);
    kvm_device_attr.attr(argument, attribute);
    kvm_device_attr.addr(argument, number.address());
    task.descriptors().get(vfio).ioctl((int) request, argument.address());
  }

  private void add(int fd) {
    attribute(Kvm.KVM_SET_DEVICE_ATTR(), Kvm.KVM_DEV_VFIO_FILE(), Kvm.KVM_DEV_VFIO_FILE_ADD(), fd);
  }

  private void remove(int fd) {
    attribute(Kvm.KVM_SET_DEVICE_ATTR(), Kvm.KVM_DEV_VFIO_FILE(), Kvm.KVM_DEV_VFIO_FILE_DEL(), fd);
  }

  private static void refused(Errno errno, Runnable call) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(Refused.class, e -> assertThat(e.errno()).isEqualTo(errno));
  }

  @Test
  void aVmHasOneAndNoneOfAnotherKind() {
    refused(Errno.EBUSY, () -> create(Kvm.KVM_DEV_TYPE_VFIO(), 0));
    refused(Errno.ENODEV, () -> create(Kvm.KVM_DEV_TYPE_VFIO() + 1, 0));
    refused(Errno.ENODEV, () -> create(-1, Kvm.KVM_CREATE_DEVICE_TEST()));
    assertThat(create(Kvm.KVM_DEV_TYPE_VFIO(), Kvm.KVM_CREATE_DEVICE_TEST())).isZero();
    task.descriptors().close(vfio);
    assertThat(create(Kvm.KVM_DEV_TYPE_VFIO(), 0)).isPositive();
  }

  @Test
  void itKnowsTwoAttributes() {
    int group = Kvm.KVM_DEV_VFIO_FILE();
    long has = Kvm.KVM_HAS_DEVICE_ATTR();
    attribute(has, group, Kvm.KVM_DEV_VFIO_FILE_ADD(), 0);
    attribute(has, group, Kvm.KVM_DEV_VFIO_FILE_DEL(), 0);
    refused(Errno.ENXIO, () -> attribute(has, group, 77, 0));
    refused(Errno.ENXIO, () -> attribute(has, group + 1, 1, 0));
    refused(Errno.EPERM, () -> attribute(Kvm.KVM_GET_DEVICE_ATTR(), group, 1, 0));
    refused(Errno.ENOTTY, () -> attribute(Kvm.KVM_GET_REGS(), group, 1, 0));
  }

  @Test
  void aFileIsAddedOnceAndTellsItsDriverOfTheVm() {
    int fd = task.descriptors().install(device);
    refused(Errno.EBADF, () -> add(999));
    refused(Errno.EINVAL, () -> add(vm));
    refused(Errno.ENOENT, () -> remove(fd));
    add(fd);
    assertThat(device.vm).isPresent();
    refused(Errno.EEXIST, () -> add(fd));
    remove(fd);
    assertThat(device.vm).isEmpty();
    refused(Errno.EBADF, () -> remove(999));
  }

  @Test
  void itKeepsTheFilesUntilItIsClosedEvenIfTheVmsDescriptorIs() {
    int fd = task.descriptors().install(device);
    add(fd);
    task.descriptors().close(fd);
    task.descriptors().close(vm);
    assertThat(device.vm).isPresent();
    assertThat(device.released).isFalse();
    task.descriptors().close(vfio);
    assertThat(device.vm).isEmpty();
    assertThat(device.released).isTrue();
  }

  /** kvm_device_release. */
  @Test
  void theVmLivesAsLongAsIt() {
    boolean[] isReleased = new boolean[1];
    int eventfd =
        task.descriptors()
            .install(new CallerEventFd(task, host, host.eventfd(0, 0), () -> isReleased[0] = true));
    MemorySegment argument = kvm_ioeventfd.allocate(arena);
    kvm_ioeventfd.addr(argument, 0x9000);
    kvm_ioeventfd.len(argument, 1);
    kvm_ioeventfd.fd(argument, eventfd);
    task.descriptors().get(vm).ioctl((int) Kvm.KVM_IOEVENTFD(), argument.address());
    task.descriptors().close(eventfd);
    task.descriptors().close(vm);
    assertThat(isReleased[0]).isFalse();
    task.descriptors().close(vfio);
    assertThat(isReleased[0]).isTrue();
  }
}
