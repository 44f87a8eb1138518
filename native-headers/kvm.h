/* Package dev.iolite.uapi.kvm: KVM, with its x86-64 part. */
#include <asm/kvm.h>
#include <linux/kvm.h>
