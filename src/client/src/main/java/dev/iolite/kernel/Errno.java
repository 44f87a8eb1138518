package dev.iolite.kernel;

import static java.util.stream.Collectors.toUnmodifiableMap;

import dev.iolite.uapi.libc.Libc;
import java.util.Arrays;
import java.util.Map;

/** The kernel's error numbers by name. Where two names share a number, the first one stands. */
public enum Errno {
  /** EPERM. */
  EPERM(Libc.EPERM()),
  /** ENOENT. */
  ENOENT(Libc.ENOENT()),
  /** ESRCH. */
  ESRCH(Libc.ESRCH()),
  /** EINTR. */
  EINTR(Libc.EINTR()),
  /** EIO. */
  EIO(Libc.EIO()),
  /** ENXIO. */
  ENXIO(Libc.ENXIO()),
  /** E2BIG. */
  E2BIG(Libc.E2BIG()),
  /** ENOEXEC. */
  ENOEXEC(Libc.ENOEXEC()),
  /** EBADF. */
  EBADF(Libc.EBADF()),
  /** ECHILD. */
  ECHILD(Libc.ECHILD()),
  /** EAGAIN. */
  EAGAIN(Libc.EAGAIN()),
  /** ENOMEM. */
  ENOMEM(Libc.ENOMEM()),
  /** EACCES. */
  EACCES(Libc.EACCES()),
  /** EFAULT. */
  EFAULT(Libc.EFAULT()),
  /** ENOTBLK. */
  ENOTBLK(Libc.ENOTBLK()),
  /** EBUSY. */
  EBUSY(Libc.EBUSY()),
  /** EEXIST. */
  EEXIST(Libc.EEXIST()),
  /** EXDEV. */
  EXDEV(Libc.EXDEV()),
  /** ENODEV. */
  ENODEV(Libc.ENODEV()),
  /** ENOTDIR. */
  ENOTDIR(Libc.ENOTDIR()),
  /** EISDIR. */
  EISDIR(Libc.EISDIR()),
  /** EINVAL. */
  EINVAL(Libc.EINVAL()),
  /** ENFILE. */
  ENFILE(Libc.ENFILE()),
  /** EMFILE. */
  EMFILE(Libc.EMFILE()),
  /** ENOTTY. */
  ENOTTY(Libc.ENOTTY()),
  /** ETXTBSY. */
  ETXTBSY(Libc.ETXTBSY()),
  /** EFBIG. */
  EFBIG(Libc.EFBIG()),
  /** ENOSPC. */
  ENOSPC(Libc.ENOSPC()),
  /** ESPIPE. */
  ESPIPE(Libc.ESPIPE()),
  /** EROFS. */
  EROFS(Libc.EROFS()),
  /** EMLINK. */
  EMLINK(Libc.EMLINK()),
  /** EPIPE. */
  EPIPE(Libc.EPIPE()),
  /** EDOM. */
  EDOM(Libc.EDOM()),
  /** ERANGE. */
  ERANGE(Libc.ERANGE()),
  /** EDEADLK. */
  EDEADLK(Libc.EDEADLK()),
  /** ENAMETOOLONG. */
  ENAMETOOLONG(Libc.ENAMETOOLONG()),
  /** ENOLCK. */
  ENOLCK(Libc.ENOLCK()),
  /** ENOSYS. */
  ENOSYS(Libc.ENOSYS()),
  /** ENOTEMPTY. */
  ENOTEMPTY(Libc.ENOTEMPTY()),
  /** ELOOP. */
  ELOOP(Libc.ELOOP()),
  /** ENOMSG. */
  ENOMSG(Libc.ENOMSG()),
  /** EIDRM. */
  EIDRM(Libc.EIDRM()),
  /** ECHRNG. */
  ECHRNG(Libc.ECHRNG()),
  /** EL2NSYNC. */
  EL2NSYNC(Libc.EL2NSYNC()),
  /** EL3HLT. */
  EL3HLT(Libc.EL3HLT()),
  /** EL3RST. */
  EL3RST(Libc.EL3RST()),
  /** ELNRNG. */
  ELNRNG(Libc.ELNRNG()),
  /** EUNATCH. */
  EUNATCH(Libc.EUNATCH()),
  /** ENOCSI. */
  ENOCSI(Libc.ENOCSI()),
  /** EL2HLT. */
  EL2HLT(Libc.EL2HLT()),
  /** EBADE. */
  EBADE(Libc.EBADE()),
  /** EBADR. */
  EBADR(Libc.EBADR()),
  /** EXFULL. */
  EXFULL(Libc.EXFULL()),
  /** ENOANO. */
  ENOANO(Libc.ENOANO()),
  /** EBADRQC. */
  EBADRQC(Libc.EBADRQC()),
  /** EBADSLT. */
  EBADSLT(Libc.EBADSLT()),
  /** EBFONT. */
  EBFONT(Libc.EBFONT()),
  /** ENOSTR. */
  ENOSTR(Libc.ENOSTR()),
  /** ENODATA. */
  ENODATA(Libc.ENODATA()),
  /** ETIME. */
  ETIME(Libc.ETIME()),
  /** ENOSR. */
  ENOSR(Libc.ENOSR()),
  /** ENONET. */
  ENONET(Libc.ENONET()),
  /** ENOPKG. */
  ENOPKG(Libc.ENOPKG()),
  /** EREMOTE. */
  EREMOTE(Libc.EREMOTE()),
  /** ENOLINK. */
  ENOLINK(Libc.ENOLINK()),
  /** EADV. */
  EADV(Libc.EADV()),
  /** ESRMNT. */
  ESRMNT(Libc.ESRMNT()),
  /** ECOMM. */
  ECOMM(Libc.ECOMM()),
  /** EPROTO. */
  EPROTO(Libc.EPROTO()),
  /** EMULTIHOP. */
  EMULTIHOP(Libc.EMULTIHOP()),
  /** EDOTDOT. */
  EDOTDOT(Libc.EDOTDOT()),
  /** EBADMSG. */
  EBADMSG(Libc.EBADMSG()),
  /** EOVERFLOW. */
  EOVERFLOW(Libc.EOVERFLOW()),
  /** ENOTUNIQ. */
  ENOTUNIQ(Libc.ENOTUNIQ()),
  /** EBADFD. */
  EBADFD(Libc.EBADFD()),
  /** EREMCHG. */
  EREMCHG(Libc.EREMCHG()),
  /** ELIBACC. */
  ELIBACC(Libc.ELIBACC()),
  /** ELIBBAD. */
  ELIBBAD(Libc.ELIBBAD()),
  /** ELIBSCN. */
  ELIBSCN(Libc.ELIBSCN()),
  /** ELIBMAX. */
  ELIBMAX(Libc.ELIBMAX()),
  /** ELIBEXEC. */
  ELIBEXEC(Libc.ELIBEXEC()),
  /** EILSEQ. */
  EILSEQ(Libc.EILSEQ()),
  /** ERESTART. */
  ERESTART(Libc.ERESTART()),
  /** ESTRPIPE. */
  ESTRPIPE(Libc.ESTRPIPE()),
  /** EUSERS. */
  EUSERS(Libc.EUSERS()),
  /** ENOTSOCK. */
  ENOTSOCK(Libc.ENOTSOCK()),
  /** EDESTADDRREQ. */
  EDESTADDRREQ(Libc.EDESTADDRREQ()),
  /** EMSGSIZE. */
  EMSGSIZE(Libc.EMSGSIZE()),
  /** EPROTOTYPE. */
  EPROTOTYPE(Libc.EPROTOTYPE()),
  /** ENOPROTOOPT. */
  ENOPROTOOPT(Libc.ENOPROTOOPT()),
  /** EPROTONOSUPPORT. */
  EPROTONOSUPPORT(Libc.EPROTONOSUPPORT()),
  /** ESOCKTNOSUPPORT. */
  ESOCKTNOSUPPORT(Libc.ESOCKTNOSUPPORT()),
  /** EOPNOTSUPP. */
  EOPNOTSUPP(Libc.EOPNOTSUPP()),
  /** EPFNOSUPPORT. */
  EPFNOSUPPORT(Libc.EPFNOSUPPORT()),
  /** EAFNOSUPPORT. */
  EAFNOSUPPORT(Libc.EAFNOSUPPORT()),
  /** EADDRINUSE. */
  EADDRINUSE(Libc.EADDRINUSE()),
  /** EADDRNOTAVAIL. */
  EADDRNOTAVAIL(Libc.EADDRNOTAVAIL()),
  /** ENETDOWN. */
  ENETDOWN(Libc.ENETDOWN()),
  /** ENETUNREACH. */
  ENETUNREACH(Libc.ENETUNREACH()),
  /** ENETRESET. */
  ENETRESET(Libc.ENETRESET()),
  /** ECONNABORTED. */
  ECONNABORTED(Libc.ECONNABORTED()),
  /** ECONNRESET. */
  ECONNRESET(Libc.ECONNRESET()),
  /** ENOBUFS. */
  ENOBUFS(Libc.ENOBUFS()),
  /** EISCONN. */
  EISCONN(Libc.EISCONN()),
  /** ENOTCONN. */
  ENOTCONN(Libc.ENOTCONN()),
  /** ESHUTDOWN. */
  ESHUTDOWN(Libc.ESHUTDOWN()),
  /** ETOOMANYREFS. */
  ETOOMANYREFS(Libc.ETOOMANYREFS()),
  /** ETIMEDOUT. */
  ETIMEDOUT(Libc.ETIMEDOUT()),
  /** ECONNREFUSED. */
  ECONNREFUSED(Libc.ECONNREFUSED()),
  /** EHOSTDOWN. */
  EHOSTDOWN(Libc.EHOSTDOWN()),
  /** EHOSTUNREACH. */
  EHOSTUNREACH(Libc.EHOSTUNREACH()),
  /** EALREADY. */
  EALREADY(Libc.EALREADY()),
  /** EINPROGRESS. */
  EINPROGRESS(Libc.EINPROGRESS()),
  /** ESTALE. */
  ESTALE(Libc.ESTALE()),
  /** EUCLEAN. */
  EUCLEAN(Libc.EUCLEAN()),
  /** ENOTNAM. */
  ENOTNAM(Libc.ENOTNAM()),
  /** ENAVAIL. */
  ENAVAIL(Libc.ENAVAIL()),
  /** EISNAM. */
  EISNAM(Libc.EISNAM()),
  /** EREMOTEIO. */
  EREMOTEIO(Libc.EREMOTEIO()),
  /** EDQUOT. */
  EDQUOT(Libc.EDQUOT()),
  /** ENOMEDIUM. */
  ENOMEDIUM(Libc.ENOMEDIUM()),
  /** EMEDIUMTYPE. */
  EMEDIUMTYPE(Libc.EMEDIUMTYPE()),
  /** ECANCELED. */
  ECANCELED(Libc.ECANCELED()),
  /** ENOKEY. */
  ENOKEY(Libc.ENOKEY()),
  /** EKEYEXPIRED. */
  EKEYEXPIRED(Libc.EKEYEXPIRED()),
  /** EKEYREVOKED. */
  EKEYREVOKED(Libc.EKEYREVOKED()),
  /** EKEYREJECTED. */
  EKEYREJECTED(Libc.EKEYREJECTED()),
  /** EOWNERDEAD. */
  EOWNERDEAD(Libc.EOWNERDEAD()),
  /** ENOTRECOVERABLE. */
  ENOTRECOVERABLE(Libc.ENOTRECOVERABLE()),
  /** ERFKILL. */
  ERFKILL(Libc.ERFKILL()),
  /** EHWPOISON. */
  EHWPOISON(Libc.EHWPOISON()),
  /** Not for user space, but some drivers let it out: "operation is not supported". */
  ENOTSUPP(524),
  /** A number that has no name here. */
  UNKNOWN(0);

  private static final Map<Integer, Errno> BY_NUMBER =
      Arrays.stream(values())
          .collect(toUnmodifiableMap(errno -> errno.number, errno -> errno, (first, _) -> first));

  private final int number;

  Errno(int number) {
    this.number = number;
  }

  /** The error of a positive errno number; {@link #UNKNOWN} if it has no name here. */
  public static Errno of(int number) {
    return BY_NUMBER.getOrDefault(number, UNKNOWN);
  }

  /** The number as {@link Kernel}'s calls return it, negative. */
  public int negated() {
    return -number;
  }
}
