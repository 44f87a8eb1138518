/*
 * The least that a supervisor does for one of the door's calls, in C: what iolite mock run is compared
 * with. It gives the program a file for /dev/iommu and answers its ioctls, whatever they are: it
 * fetches the struct from the program, as the model does, and gives it back.
 *
 * usage: supervisor PROGRAM ARGUMENT...
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { IOMMUFD_TYPE = ';', STRUCT_BYTES = 24 };

static int require(int result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(2);
	}
	return result;
}

#define FIELD(name) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, name))
#define IS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)

/* Notifies of openat, and of ioctls of iommufd's type. */
static int install(void)
{
	struct sock_filter code[] = {
		FIELD(nr),
		IS(SYS_openat, 4, 0),
		IS(SYS_ioctl, 0, 4),
		FIELD(args[1]),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff00),
		IS(IOMMUFD_TYPE << 8, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof code / sizeof code[0], code };

	require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl");
	return require(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			       SECCOMP_FILTER_FLAG_NEW_LISTENER, &program), "seccomp");
}

static void pass(int socket, int fd)
{
	char space[CMSG_SPACE(sizeof fd)] = "", byte = 0;
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1,
				  .msg_control = space, .msg_controllen = sizeof space };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(header), &fd, sizeof fd);
	require(sendmsg(socket, &message, 0), "sendmsg");
}

static int taken(int socket)
{
	char space[CMSG_SPACE(sizeof(int))], byte;
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1,
				  .msg_control = space, .msg_controllen = sizeof space };
	int fd;

	require(recvmsg(socket, &message, 0), "recvmsg");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
	return fd;
}

static int copy(int out, pid_t process, uint64_t address, void *here, size_t bytes)
{
	struct iovec own = { here, bytes }, other = { (void *)address, bytes };
	ssize_t moved = out ? process_vm_writev(process, &own, 1, &other, 1, 0)
			    : process_vm_readv(process, &own, 1, &other, 1, 0);

	return moved == (ssize_t)bytes;
}

static void answer(int listener, const struct seccomp_notif *call, struct seccomp_notif_resp *reply)
{
	char buffer[STRUCT_BYTES] = "";

	if (call->data.nr == SYS_ioctl) {
		if (!copy(0, call->pid, call->data.args[2], buffer, STRUCT_BYTES) ||
		    !copy(1, call->pid, call->data.args[2], buffer, STRUCT_BYTES))
			reply->error = -EFAULT;
	} else if (copy(0, call->pid, call->data.args[1], buffer, sizeof "/dev/iommu") &&
		   !strcmp(buffer, "/dev/iommu")) {
		struct seccomp_notif_addfd add = { .id = call->id };

		add.srcfd = require(memfd_create("iommu", MFD_CLOEXEC), "memfd_create");
		reply->val = require(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add), "ADDFD");
	} else {
		reply->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	}
}

int main(int argc, char **argv)
{
	int pair[2], status;

	if (argc < 2)
		return 2;
	require(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	pid_t child = require(fork(), "fork");

	if (!child) {
		pass(pair[1], install());
		execv(argv[1], argv + 1);
		_exit(127);
	}
	int listener = taken(pair[0]);

	for (;;) {
		struct seccomp_notif call = { 0 };
		struct seccomp_notif_resp reply = { 0 };

		if (waitpid(child, &status, WNOHANG) == child)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call))
			continue;
		reply.id = call.id;
		answer(listener, &call, &reply);
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
	}
}
