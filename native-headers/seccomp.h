/*
 * Package dev.iolite.uapi.seccomp: how a process supervises another one's system calls.
 *
 * Like the libc package, this takes everything from the kernel's own headers. The numbers of system
 * calls are those of x86-64.
 */
#include <asm/processor-flags.h>
#include <asm/ptrace.h>
#include <asm/signal.h>
#include <asm/stat.h>
#include <asm/unistd_64.h>
#include <linux/audit.h>
#include <linux/elf.h>
#include <linux/filter.h>
#include <linux/ioctl.h>
#include <linux/openat2.h>
#include <linux/prctl.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <linux/stat.h>
#include <linux/wait.h>
