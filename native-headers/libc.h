/*
 * Package dev.iolite.uapi.libc: constants and structs of the plain system calls.
 *
 * They are the kernel's own, which glibc's equal on x86-64. So no libc header is read, and what is
 * generated does not depend on the machine's libc.
 */
#include <asm/ioctls.h>
#include <asm/socket.h>
#include <linux/auxvec.h>
#include <linux/errno.h>
#include <linux/eventfd.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include <linux/poll.h>
#include <linux/resource.h>
#include <linux/stat.h>
#include <linux/uio.h>
