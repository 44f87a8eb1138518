package dev.iolite.kernel;

import static java.util.stream.Collectors.toUnmodifiableMap;

import dev.iolite.uapi.libc.Libc;
import java.util.Arrays;
import java.util.Map;

/** The kernel's error numbers by name. Where two names share a number, the first one is used. */
public enum Errno {
  EPERM(Libc.EPERM()),
  ENOENT(Libc.ENOENT()),
  ESRCH(Libc.ESRCH()),
  EINTR(Libc.EINTR()),
  EIO(Libc.EIO()),
  ENXIO(Libc.ENXIO()),
  E2BIG(Libc.E2BIG()),
  ENOEXEC(Libc.ENOEXEC()),
  EBADF(Libc.EBADF()),
  ECHILD(Libc.ECHILD()),
  EAGAIN(Libc.EAGAIN()),
  ENOMEM(Libc.ENOMEM()),
  EACCES(Libc.EACCES()),
  EFAULT(Libc.EFAULT()),
  ENOTBLK(Libc.ENOTBLK()),
  EBUSY(Libc.EBUSY()),
  EEXIST(Libc.EEXIST()),
  EXDEV(Libc.EXDEV()),
  ENODEV(Libc.ENODEV()),
  ENOTDIR(Libc.ENOTDIR()),
  EISDIR(Libc.EISDIR()),
  EINVAL(Libc.EINVAL()),
  ENFILE(Libc.ENFILE()),
  EMFILE(Libc.EMFILE()),
  ENOTTY(Libc.ENOTTY()),
  ETXTBSY(Libc.ETXTBSY()),
  EFBIG(Libc.EFBIG()),
  ENOSPC(Libc.ENOSPC()),
  ESPIPE(Libc.ESPIPE()),
  EROFS(Libc.EROFS()),
  EMLINK(Libc.EMLINK()),
  EPIPE(Libc.EPIPE()),
  EDOM(Libc.EDOM()),
  ERANGE(Libc.ERANGE()),
  EDEADLK(Libc.EDEADLK()),
  ENAMETOOLONG(Libc.ENAMETOOLONG()),
  ENOLCK(Libc.ENOLCK()),
  ENOSYS(Libc.ENOSYS()),
  ENOTEMPTY(Libc.ENOTEMPTY()),
  ELOOP(Libc.ELOOP()),
  ENOMSG(Libc.ENOMSG()),
  EIDRM(Libc.EIDRM()),
  ECHRNG(Libc.ECHRNG()),
  EL2NSYNC(Libc.EL2NSYNC()),
  EL3HLT(Libc.EL3HLT()),
  EL3RST(Libc.EL3RST()),
  ELNRNG(Libc.ELNRNG()),
  EUNATCH(Libc.EUNATCH()),
  ENOCSI(Libc.ENOCSI()),
  EL2HLT(Libc.EL2HLT()),
  EBADE(Libc.EBADE()),
  EBADR(Libc.EBADR()),
  EXFULL(Libc.EXFULL()),
  ENOANO(Libc.ENOANO()),
  EBADRQC(Libc.EBADRQC()),
  EBADSLT(Libc.EBADSLT()),
  EBFONT(Libc.EBFONT()),
  ENOSTR(Libc.ENOSTR()),
  ENODATA(Libc.ENODATA()),
  ETIME(Libc.ETIME()),
  ENOSR(Libc.ENOSR()),
  ENONET(Libc.ENONET()),
  ENOPKG(Libc.ENOPKG()),
  EREMOTE(Libc.EREMOTE()),
  ENOLINK(Libc.ENOLINK()),
  EADV(Libc.EADV()),
  ESRMNT(Libc.ESRMNT()),
  ECOMM(Libc.ECOMM()),
  EPROTO(Libc.EPROTO()),
  EMULTIHOP(Libc.EMULTIHOP()),
  EDOTDOT(Libc.EDOTDOT()),
  EBADMSG(Libc.EBADMSG()),
  EOVERFLOW(Libc.EOVERFLOW()),
  ENOTUNIQ(Libc.ENOTUNIQ()),
  EBADFD(Libc.EBADFD()),
  EREMCHG(Libc.EREMCHG()),
  ELIBACC(Libc.ELIBACC()),
  ELIBBAD(Libc.ELIBBAD()),
  ELIBSCN(Libc.ELIBSCN()),
  ELIBMAX(Libc.ELIBMAX()),
  ELIBEXEC(Libc.ELIBEXEC()),
  EILSEQ(Libc.EILSEQ()),
  ERESTART(Libc.ERESTART()),
  ESTRPIPE(Libc.ESTRPIPE()),
  EUSERS(Libc.EUSERS()),
  ENOTSOCK(Libc.ENOTSOCK()),
  EDESTADDRREQ(Libc.EDESTADDRREQ()),
  EMSGSIZE(Libc.EMSGSIZE()),
  EPROTOTYPE(Libc.EPROTOTYPE()),
  ENOPROTOOPT(Libc.ENOPROTOOPT()),
  EPROTONOSUPPORT(Libc.EPROTONOSUPPORT()),
  ESOCKTNOSUPPORT(Libc.ESOCKTNOSUPPORT()),
  EOPNOTSUPP(Libc.EOPNOTSUPP()),
  EPFNOSUPPORT(Libc.EPFNOSUPPORT()),
  EAFNOSUPPORT(Libc.EAFNOSUPPORT()),
  EADDRINUSE(Libc.EADDRINUSE()),
  EADDRNOTAVAIL(Libc.EADDRNOTAVAIL()),
  ENETDOWN(Libc.ENETDOWN()),
  ENETUNREACH(Libc.ENETUNREACH()),
  ENETRESET(Libc.ENETRESET()),
  ECONNABORTED(Libc.ECONNABORTED()),
  ECONNRESET(Libc.ECONNRESET()),
  ENOBUFS(Libc.ENOBUFS()),
  EISCONN(Libc.EISCONN()),
  ENOTCONN(Libc.ENOTCONN()),
  ESHUTDOWN(Libc.ESHUTDOWN()),
  ETOOMANYREFS(Libc.ETOOMANYREFS()),
  ETIMEDOUT(Libc.ETIMEDOUT()),
  ECONNREFUSED(Libc.ECONNREFUSED()),
  EHOSTDOWN(Libc.EHOSTDOWN()),
  EHOSTUNREACH(Libc.EHOSTUNREACH()),
  EALREADY(Libc.EALREADY()),
  EINPROGRESS(Libc.EINPROGRESS()),
  ESTALE(Libc.ESTALE()),
  EUCLEAN(Libc.EUCLEAN()),
  ENOTNAM(Libc.ENOTNAM()),
  ENAVAIL(Libc.ENAVAIL()),
  EISNAM(Libc.EISNAM()),
  EREMOTEIO(Libc.EREMOTEIO()),
  EDQUOT(Libc.EDQUOT()),
  ENOMEDIUM(Libc.ENOMEDIUM()),
  EMEDIUMTYPE(Libc.EMEDIUMTYPE()),
  ECANCELED(Libc.ECANCELED()),
  ENOKEY(Libc.ENOKEY()),
  EKEYEXPIRED(Libc.EKEYEXPIRED()),
  EKEYREVOKED(Libc.EKEYREVOKED()),
  EKEYREJECTED(Libc.EKEYREJECTED()),
  EOWNERDEAD(Libc.EOWNERDEAD()),
  ENOTRECOVERABLE(Libc.ENOTRECOVERABLE()),
  ERFKILL(Libc.ERFKILL()),
  EHWPOISON(Libc.EHWPOISON()),
  /** Not meant for user space, but some drivers let it escape: "operation is not supported". */
  ENOTSUPP(524),
  /** A number without a name here. */
  UNKNOWN(0);

  private static final Map<Integer, Errno> BY_NUMBER =
      Arrays.stream(values())
          .collect(toUnmodifiableMap(errno -> errno.number, errno -> errno, (first, _) -> first));

  private final int number;

  Errno(int number) {
    this.number = number;
  }

  /** The error with a positive errno number; {@link #UNKNOWN} if it has no name here. */
  public static Errno of(int number) {
    return BY_NUMBER.getOrDefault(number, UNKNOWN);
  }

  /** The number as {@link Kernel}'s calls return it, negative. */
  public int negated() {
    return -number;
  }
}
