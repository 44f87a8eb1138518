package dev.iolite.kernel;

import static dev.iolite.kernel.Errno.E2BIG;
import static dev.iolite.kernel.Errno.EACCES;
import static dev.iolite.kernel.Errno.EADDRINUSE;
import static dev.iolite.kernel.Errno.EAGAIN;
import static dev.iolite.kernel.Errno.EBADF;
import static dev.iolite.kernel.Errno.EBADFD;
import static dev.iolite.kernel.Errno.EBUSY;
import static dev.iolite.kernel.Errno.EDEADLK;
import static dev.iolite.kernel.Errno.EEXIST;
import static dev.iolite.kernel.Errno.EFAULT;
import static dev.iolite.kernel.Errno.EINTR;
import static dev.iolite.kernel.Errno.EINVAL;
import static dev.iolite.kernel.Errno.EIO;
import static dev.iolite.kernel.Errno.EISDIR;
import static dev.iolite.kernel.Errno.EMFILE;
import static dev.iolite.kernel.Errno.EMSGSIZE;
import static dev.iolite.kernel.Errno.ENODEV;
import static dev.iolite.kernel.Errno.ENOENT;
import static dev.iolite.kernel.Errno.ENOMEM;
import static dev.iolite.kernel.Errno.ENOSPC;
import static dev.iolite.kernel.Errno.ENOTTY;
import static dev.iolite.kernel.Errno.ENXIO;
import static dev.iolite.kernel.Errno.EOPNOTSUPP;
import static dev.iolite.kernel.Errno.EOVERFLOW;
import static dev.iolite.kernel.Errno.EPERM;
import static dev.iolite.kernel.Errno.EROFS;
import static dev.iolite.kernel.Errno.ETIMEDOUT;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What Linux 7.3 can answer to each call that the client makes, and where that was read. */
public final class KernelErrnos {
  private static final Map<String, List<Errno>> OF = new TreeMap<>();

  static {
    // drivers/vfio/device_cdev.c:vfio_df_ioctl_bind_iommufd, group.c:vfio_device_block_group,
    // pci/vfio_pci_core.c:vfio_pci_core_match_token_uuid, vfio_pci_core_enable,
    // drivers/iommu/iommufd/device.c:iommufd_bind_iommu, iommu.c:iommu_device_claim_dma_owner
    of(
        "VFIO_DEVICE_BIND_IOMMUFD",
        EINVAL,
        EBUSY,
        EPERM,
        EACCES,
        ENODEV,
        EAGAIN,
        ENOMEM,
        EBADF,
        EIO);
    // drivers/vfio/device_cdev.c, drivers/iommu/iommufd/device.c:iommufd_device_change_pt,
    // io_pagetable.c:iopt_table_add_domain, pages.c:pfn_reader_user_pin
    of("VFIO_DEVICE_ATTACH_IOMMUFD_PT", EINVAL, ENOENT, EBUSY, EADDRINUSE, ENOMEM, EFAULT, ENOSPC);
    of("VFIO_DEVICE_DETACH_IOMMUFD_PT", EINVAL, EFAULT);
    // drivers/vfio/vfio_main.c:vfio_ioctl_device_feature, pci/vfio_pci_dmabuf.c
    of(
        "VFIO_DEVICE_FEATURE",
        EINVAL,
        ENOTTY,
        ENODEV,
        EOPNOTSUPP,
        ENOMEM,
        EFAULT,
        EMFILE,
        EBUSY,
        E2BIG,
        EOVERFLOW);
    // drivers/vfio/pci/vfio_pci_core.c
    of("VFIO_DEVICE_GET_INFO", EINVAL, EFAULT, ENODEV);
    of("VFIO_DEVICE_GET_REGION_INFO", EINVAL, EFAULT, ENOMEM);
    of("VFIO_DEVICE_GET_IRQ_INFO", EINVAL, EFAULT);
    of("VFIO_DEVICE_SET_IRQS", EINVAL, ENOTTY, EFAULT, ENOMEM, ENOSPC, EBUSY);
    of("VFIO_DEVICE_RESET", EINVAL, ENOTTY, EAGAIN);
    of("VFIO_DEVICE_GET_PCI_HOT_RESET_INFO", EINVAL, EFAULT, ENODEV, ENOMEM);
    of("VFIO_DEVICE_PCI_HOT_RESET", EINVAL, EFAULT, ENODEV, EPERM, EAGAIN);
    // drivers/vfio/pci/vfio_pci_rdwr.c:vfio_pci_ioeventfd
    of("VFIO_DEVICE_IOEVENTFD", EINVAL, EEXIST, ENODEV, ENOSPC, ENOMEM, EBADF);
    // samples/vfio-mdev/mdpy.c:mdpy_query_gfx_plane
    of("VFIO_DEVICE_QUERY_GFX_PLANE", ENOTTY, EINVAL, EFAULT);
    of("VFIO_DEVICE_GET_GFX_DMABUF", ENOTTY, EINVAL, EFAULT);
    // drivers/vfio/pci/mlx5/main.c:mlx5vf_precopy_ioctl
    of("VFIO_MIG_GET_PRECOPY_INFO", EINVAL, ENOTTY, ENODEV, EFAULT);
    // drivers/vfio/group.c, container.c
    of("VFIO_GROUP_GET_STATUS", ENODEV, EFAULT);
    of("VFIO_GROUP_SET_CONTAINER", EINVAL, ENODEV, EPERM, EBUSY, EBADF, EBADFD, ENOMEM, EFAULT);
    of("VFIO_GROUP_UNSET_CONTAINER", EINVAL, EBUSY);
    of("VFIO_GROUP_GET_DEVICE_FD", EINVAL, ENODEV, EACCES, EPERM, EMFILE, ENOMEM);
    of("VFIO_SET_IOMMU", EINVAL, ENODEV, EPERM, EBUSY, ENOMEM);
    // drivers/vfio/vfio_iommu_type1.c, drivers/iommu/iommufd/vfio_compat.c
    of("VFIO_IOMMU_GET_INFO", EINVAL, ENODEV, EFAULT, ENOMEM);
    of(
        "VFIO_IOMMU_MAP_DMA",
        EEXIST,
        EINVAL,
        EOVERFLOW,
        EFAULT,
        ENOMEM,
        ENOSPC,
        ENOENT,
        EPERM,
        ENODEV);
    of("VFIO_IOMMU_UNMAP_DMA", EINVAL, EOVERFLOW, EBUSY, ENODEV, ENOENT);
    of("VFIO_IOMMU_DIRTY_PAGES", EINVAL, EACCES, EOVERFLOW, ENOMEM, EFAULT);
    // drivers/iommu/iommufd: main.c, ioas.c, io_pagetable.c, pages.c, hw_pagetable.c, viommu.c
    of("IOMMU_DESTROY", EBUSY, ENOENT);
    of("IOMMU_IOAS_ALLOC", ENOMEM, EOPNOTSUPP, EFAULT, E2BIG);
    of("IOMMU_IOAS_IOVA_RANGES", ENOENT, EMSGSIZE, EOPNOTSUPP, EFAULT);
    of("IOMMU_IOAS_ALLOW_IOVAS", EADDRINUSE, EINVAL, EOPNOTSUPP, ENOENT, ENOMEM);
    List<Errno> map =
        List.of(EEXIST, EINVAL, ENOMEM, EFAULT, ENOSPC, ENOENT, EPERM, EOVERFLOW, EOPNOTSUPP);
    OF.put("IOMMU_IOAS_MAP", map);
    OF.put("IOMMU_IOAS_COPY", map);
    of(
        "IOMMU_IOAS_MAP_FILE",
        EEXIST,
        EINVAL,
        ENOMEM,
        ENOSPC,
        ENOENT,
        EOVERFLOW,
        EOPNOTSUPP,
        ENODEV,
        EBADF,
        ENXIO);
    of("IOMMU_IOAS_UNMAP", ENOENT, EBUSY, EDEADLK, EOVERFLOW);
    of("IOMMU_OPTION", EBUSY, EPERM, EINVAL, EOPNOTSUPP);
    of("IOMMU_HWPT_ALLOC", EINVAL, EOPNOTSUPP, ENOENT, ENOMEM);
    of("IOMMU_GET_HW_INFO", EOPNOTSUPP, ENOENT, EFAULT);
    of("IOMMU_VIOMMU_ALLOC", EINVAL, EOPNOTSUPP, ENOENT, ENOMEM);
    of("IOMMU_VDEVICE_ALLOC", EEXIST, EINVAL, ENOENT, EOPNOTSUPP, ENOMEM);
    of("IOMMU_HWPT_SET_DIRTY_TRACKING", EOPNOTSUPP, ENOENT);
    of("IOMMU_HWPT_GET_DIRTY_BITMAP", EOPNOTSUPP, EINVAL, ENOENT, EFAULT);
    of("IOMMU_FAULT_QUEUE_ALLOC", EMFILE, ENOMEM, EOPNOTSUPP);
    of("IOMMU_VEVENTQ_ALLOC", EEXIST, EINVAL, EMFILE, ENOENT, ENOMEM, EOPNOTSUPP);
    of("IOMMU_HW_QUEUE_ALLOC", EINVAL, EOVERFLOW, ENOENT, ENOMEM, EFAULT);
    of("IOMMU_VFIO_IOAS", ENOENT);
    of("IOMMU_IOAS_CHANGE_PROCESS", EINVAL, EBUSY, ENOMEM);
    of("IOMMU_IOAS_NOIOMMU_GET_PA", EPERM, ENOENT, EOPNOTSUPP, EINVAL, EOVERFLOW);
    // virt/kvm/kvm_main.c, arch/x86/kvm/x86.c, arch/x86/virt/hw.c
    of("KVM_CREATE_VM", EINVAL, EBUSY, EIO, ENOMEM, EMFILE, EOPNOTSUPP);
    of("KVM_CREATE_VCPU", EEXIST, EINVAL, ENOMEM, EIO, EMFILE);
    of("KVM_CREATE_DEVICE", ENODEV, EBUSY, ENOMEM, EMFILE, EIO);
    of("KVM_CREATE_GUEST_MEMFD", EINVAL, ENOMEM, EMFILE, EIO);
    of("KVM_SET_USER_MEMORY_REGION", EEXIST, EINVAL, ENOMEM, EIO);
    of("KVM_SET_USER_MEMORY_REGION2", EEXIST, EINVAL, EBADF, ENOMEM, EIO);
    of("KVM_SET_MEMORY_ATTRIBUTES", EINVAL, EBUSY, ENOMEM, EIO);
    of("KVM_ENABLE_CAP", EINVAL, EEXIST, EPERM, EIO);
    of("KVM_GET_REGS", EINVAL, EIO, ENOMEM);
    of("KVM_SET_REGS", EINVAL, EIO, ENOMEM);
    of("KVM_GET_SREGS", EINVAL, EIO, ENOMEM);
    of("KVM_SET_SREGS", EINVAL, EIO, ENOMEM);
    // arch/x86/kvm/x86.c:kvm_arch_vcpu_ioctl, regs.c, msrs.c, smm.h, svm/nested.c
    of("KVM_GET_XSAVE", EINVAL, EIO, ENOMEM);
    of("KVM_SET_XSAVE", EINVAL, EIO, ENOMEM);
    of("KVM_GET_XSAVE2", EINVAL, EIO, ENOMEM);
    of("KVM_GET_XCRS", EINVAL, EIO, ENOMEM);
    of("KVM_SET_XCRS", EINVAL, EIO, ENOMEM);
    of("KVM_SET_VCPU_EVENTS", EINVAL, EIO);
    of("KVM_GET_DEBUGREGS", EINVAL, EIO);
    of("KVM_SET_DEBUGREGS", EINVAL, EIO);
    of("KVM_SET_GUEST_DEBUG", EBUSY, EINVAL, EIO);
    of("KVM_INTERRUPT", EINVAL, ENXIO, EEXIST, EIO);
    of("KVM_SMI", ENOTTY, EIO);
    of("KVM_X86_SETUP_MCE", EINVAL, EIO);
    of("KVM_X86_SET_MCE", EINVAL, EIO);
    of("KVM_GET_LAPIC", EINVAL, EIO, ENOMEM);
    of("KVM_SET_LAPIC", EINVAL, EIO, ENOMEM);
    of("KVM_SET_VAPIC_ADDR", EINVAL, EIO);
    of("KVM_KVMCLOCK_CTRL", EINVAL, EIO);
    of("KVM_SET_TSC_KHZ", EINVAL, EIO);
    of("KVM_GET_ONE_REG", EINVAL, EIO);
    of("KVM_SET_ONE_REG", EINVAL, EIO);
    of("KVM_GET_NESTED_STATE", EINVAL, E2BIG, EIO, ENOMEM);
    of("KVM_SET_NESTED_STATE", EINVAL, EIO, ENOMEM);
    // virt/kvm/kvm_main.c:kvm_vm_ioctl, dirty_ring.c, coalesced_mmio.c, irqchip.c
    of("KVM_GET_DIRTY_LOG", ENOENT, ENXIO, EINVAL, EIO);
    of("KVM_CLEAR_DIRTY_LOG", ENOENT, ENXIO, EINVAL, EIO);
    of("KVM_RESET_DIRTY_RINGS", EINVAL, EIO);
    of("KVM_REGISTER_COALESCED_MMIO", EINVAL, ENOSPC, ENOMEM, EIO);
    of("KVM_SET_GSI_ROUTING", EINVAL, ENOMEM, EIO);
    of("KVM_SIGNAL_MSI", EINVAL, EPERM, EIO);
    of("KVM_IRQ_LINE", ENXIO, EIO);
    of("KVM_IRQ_LINE_STATUS", ENXIO, EIO);
    // arch/x86/kvm/x86.c:kvm_arch_vm_ioctl, pmu.c, msrs.c, hyperv.c, svm/sev.c
    of("KVM_CREATE_IRQCHIP", EEXIST, EINVAL, ENOTTY, ENOMEM, EIO);
    of("KVM_GET_IRQCHIP", ENXIO, EINVAL, EIO, ENOMEM);
    of("KVM_SET_IRQCHIP", ENXIO, EINVAL, EIO, ENOMEM);
    of("KVM_CREATE_PIT", EEXIST, ENOENT, ENOMEM, EIO);
    of("KVM_CREATE_PIT2", EEXIST, ENOENT, ENOMEM, EIO);
    of("KVM_GET_PIT", ENXIO, EIO);
    of("KVM_SET_PIT", ENXIO, EIO);
    of("KVM_GET_PIT2", ENXIO, EIO);
    of("KVM_SET_PIT2", ENXIO, EIO);
    of("KVM_REINJECT_CONTROL", ENXIO, EIO);
    of("KVM_X86_SET_MSR_FILTER", EINVAL, ENOMEM, EIO);
    of("KVM_SET_PMU_EVENT_FILTER", E2BIG, EINVAL, ENOMEM, EIO);
    of("KVM_HYPERV_EVENTFD", EEXIST, ENOENT, EINVAL, ENOTTY, EIO);
    of("KVM_XEN_HVM_CONFIG", ENOTTY, EIO);
    of("KVM_MEMORY_ENCRYPT_REG_REGION", ENOTTY, EINVAL, ENOMEM, EIO);
    of("KVM_MEMORY_ENCRYPT_UNREG_REGION", ENOTTY, EINVAL, EIO);
    // What is no /dev/kvm has no such call; KVM itself never refuses it, nor the other two
    // questions.
    of("KVM_GET_API_VERSION", ENOTTY);
    of("KVM_RUN", EFAULT, EIO, EINVAL);
    of("KVM_PRE_FAULT_MEMORY", EINVAL, ENOENT, EOPNOTSUPP, EIO, EFAULT, EINTR);
    // virt/kvm/vfio.c
    of("KVM_SET_DEVICE_ATTR", EBADF, EEXIST, EINVAL, ENOENT, ENXIO, ENOMEM);
    // arch/x86/kvm/svm/sev.c:__sev_guest_init, sev_issue_cmd, drivers/crypto/ccp/sev-dev.c
    of("KVM_SEV_INIT2", EINVAL, EBUSY, ENODEV, ENOTTY, EIO, ETIMEDOUT, ENOMEM, EFAULT);
    of("KVM_SEV_INIT", EINVAL, EBUSY, ENODEV, ENOTTY, EIO, ETIMEDOUT, ENOMEM);
    of("KVM_SEV_ES_INIT", EINVAL, EBUSY, ENODEV, ENOTTY, EIO, ETIMEDOUT, ENOMEM);
    of("KVM_SEV_LAUNCH_START", ENOTTY, EFAULT, EINVAL, EBADF, EIO, EPERM, ETIMEDOUT, EBUSY, ENOMEM);
    of("KVM_SEV_LAUNCH_UPDATE_DATA", ENOTTY, EFAULT, EINVAL, ENOMEM, EBADF, EIO, EPERM, EBUSY);
    of("KVM_SEV_LAUNCH_UPDATE_VMSA", ENOTTY, EINVAL, EBADF, EIO, EPERM, EINTR, EBUSY);
    of("KVM_SEV_LAUNCH_SECRET", ENOTTY, EFAULT, EINVAL, ENOMEM, EBADF, EIO, EPERM, EBUSY);
    of("KVM_SEV_LAUNCH_MEASURE", ENOTTY, EFAULT, EINVAL, ENOMEM, EBADF, EIO, EPERM, EBUSY);
    of("KVM_SEV_LAUNCH_FINISH", ENOTTY, EINVAL, EBADF, EIO, EPERM, EBUSY);
    of("KVM_SEV_GUEST_STATUS", ENOTTY, EFAULT, EBADF, EIO, EPERM, EBUSY);
    of("KVM_SEV_DBG_DECRYPT", ENOTTY, EFAULT, EINVAL, ENOMEM, EBADF, EIO, EPERM, EBUSY);
    of("KVM_SEV_DBG_ENCRYPT", ENOTTY, EFAULT, EINVAL, ENOMEM, EBADF, EIO, EPERM, EBUSY);
    of("KVM_SEV_GET_ATTESTATION_REPORT", ENOTTY, EFAULT, EINVAL, ENOMEM, EBADF, EIO, EPERM, EBUSY);
    of("KVM_SEV_SEND_START", ENOTTY, EFAULT, EINVAL, ENOMEM, EBADF, EIO, EPERM, EBUSY);
    of("KVM_SEV_SEND_UPDATE_DATA", ENOTTY, EFAULT, EINVAL, ENOMEM, EBADF, EIO, EPERM, EBUSY);
    of("KVM_SEV_SEND_FINISH", ENOTTY, EINVAL, EBADF, EIO, EPERM, EBUSY);
    of("KVM_SEV_SEND_CANCEL", ENOTTY, EINVAL, EBADF, EIO, EPERM, EBUSY);
    of("KVM_SEV_RECEIVE_START", ENOTTY, EFAULT, EINVAL, ENOMEM, EBADF, EIO, EPERM, EBUSY);
    of("KVM_SEV_RECEIVE_UPDATE_DATA", EFAULT, EINVAL, ENOMEM, EBADF, EIO, EPERM, EBUSY);
    of("KVM_SEV_RECEIVE_FINISH", ENOTTY, EINVAL, EBADF, EIO, EPERM, EBUSY);
    of("KVM_SEV_SNP_ENABLE_REQ_CERTS", EINVAL);
    of("KVM_SEV_SNP_LAUNCH_START", EINVAL, ENOTTY, EIO, ETIMEDOUT, EBUSY, EBADF, ENOMEM);
    of("KVM_SEV_SNP_LAUNCH_UPDATE", EINVAL, ENOTTY, EIO, EAGAIN, EFAULT, ENOMEM);
    of("KVM_SEV_SNP_LAUNCH_FINISH", EINVAL, ENOTTY, EIO, EFAULT, ENOMEM);
    // arch/x86/kvm/vmx/tdx.c:tdx_td_init, __tdx_td_init, misc_cg_try_charge
    of("KVM_TDX_INIT_VM", EINVAL, ENOSPC, EBUSY, EAGAIN, EIO, ENOMEM, ENOTTY);
    of("KVM_TDX_INIT_VCPU", EINVAL, EIO, ENOMEM);
    of("KVM_TDX_CAPABILITIES", EINVAL, EFAULT, E2BIG, ENOMEM);
    of("KVM_TDX_INIT_MEM_REGION", EINVAL, EFAULT, EIO, EBUSY, EINTR);
    of("KVM_TDX_FINALIZE_VM", EINVAL, EBUSY, EIO);
    of("KVM_TDX_GET_CPUID", EINVAL, EFAULT, E2BIG, EIO, ENOMEM);
    // fs/namei.c, drivers/char/misc.c, drivers/vfio/device_cdev.c, security/device_cgroup.c
    of("open", ENOENT, EACCES, EPERM, ENODEV, EMFILE, EBUSY, EISDIR, EROFS, ENOMEM);
    // drivers/base/bus.c:bind_store, unbind_store, drivers/base/dd.c:device_driver_attach
    of("write", ENODEV, EBUSY, EINVAL, EAGAIN, EPERM, EACCES, EIO, ENOMEM, ENXIO);
    // drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_mmap, vfio_pci_core_map_bars, mm/mmap.c
    of("mmap", EINVAL, ENOMEM, EBUSY, ENODEV, EAGAIN, EACCES);
    // drivers/vfio/pci/vfio_pci_rdwr.c
    of("pread", EIO, EINVAL, EBUSY, ENODEV, EFAULT);
    of("pwrite", EIO, EINVAL, EBUSY, ENODEV, EFAULT);
    of("memfd_create", EMFILE, ENOMEM);
    of("eventfd", EMFILE, ENOMEM, ENODEV);
    of("ftruncate", ENOMEM, EINTR);
    // virt/kvm/guest_memfd.c:kvm_gmem_fallocate
    of("fallocate", EINVAL);
    of("fcntl", EPERM, EBUSY, EINVAL);
    of("munmap", ENOMEM);
    of("tsm/connect", EBUSY, ENXIO, EINVAL, EPERM, EINTR, EIO, ETIMEDOUT);
    of("tsm/disconnect", ENXIO, EINVAL, EINTR);
  }

  private KernelErrnos() {}

  private static void of(String call, Errno... errnos) {
    OF.put(call, List.of(errnos));
  }

  /** The calls. */
  public static List<String> calls() {
    return List.copyOf(OF.keySet());
  }

  /** Those of a call; empty if it is not one of the client's that can fail. */
  public static List<Errno> of(String call) {
    return OF.getOrDefault(call, List.of());
  }
}
