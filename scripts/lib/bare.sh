# Functions to try things in bare Debian systems. Sourced, not run; needs common.sh and debian.sh.
#
#   bare_begin                            as root, alone: before anything else
#   make_system SYSTEM                    once, as debootstrap leaves it, and git
#   take_system SYSTEM                    a new copy of it, in $bare, with a user `user`
#   inside [--offline] USER COMMAND       runs a command there
#   part NAME EXIT-CODE TEXT COMMAND...   runs it, and says whether it ended as it should
#   $failed                               yes, if a part has not
systems="$IOLITE_CACHE/bare"
failed=no

bare_begin() {
  [ "$(id -u)" = 0 ] || fail "Only root can make a system and enter it."
  require debootstrap=debootstrap unshare=util-linux git=git
  mkdir -p "$systems"
  exec 9> "$systems/lock"
  flock --nonblock 9 || fail "Another script uses the bare systems: scripts/bare-test or scripts/package."
  trap remove_system EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}

# A system as debootstrap leaves it, kept for the next time.
make_system() {
  local release=${1%-backports} mirror
  [ ! -e "$systems/$release/made" ] || return 0
  mirror=$(debian_mirror)
  rm -rf "${systems:?}/$release"
  mkdir -p "$systems/$release"
  with_progress "making a bare Debian $release" \
    debootstrap --variant=minbase --include=git "$release" "$systems/$release/root" "$mirror"
  touch "$systems/$release/made"
}

# A new copy of it in $bare, with this machine's way into the network and its certificates.
take_system() {
  local release=${1%-backports}
  remove_system
  bare=$(mktemp -d "$systems/XXXXXX")
  cp -a "$systems/$release/root/." "$bare/"
  cp /etc/resolv.conf /etc/hosts "$bare/etc/"
  mkdir -p "$bare/usr/local/share/ca-certificates" "$bare/src"
  cp /usr/local/share/ca-certificates/*.crt "$bare/usr/local/share/ca-certificates/" 2> /dev/null ||
    true
  if [ "$1" != "$release" ]; then
    sed "s/ $release / $1 /" "$bare/etc/apt/sources.list" > "$bare/etc/apt/sources.list.d/more.list"
    printf 'Package: qemu* seabios ipxe*\nPin: release n=%s\nPin-Priority: 900\n' "$1" \
      > "$bare/etc/apt/preferences.d/qemu"
  fi
  chroot "$bare" useradd --create-home --shell /bin/bash user
}

remove_system() {
  [ -z "${bare:-}" ] || rm -rf --one-file-system "$bare"
  bare=''
}

# inside [--offline] USER COMMAND : a login shell's command in $bare. Its mounts and processes end
# with it.
inside() {
  local namespaces=(--mount --pid --fork --kill-child)
  [ "$1" != --offline ] || { namespaces+=(--net) && shift; }
  unshare "${namespaces[@]}" bash -c '
    mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" && mount -t sysfs sysfs "$1/sys" &&
      exec chroot "$1" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        TERM=dumb DEBIAN_FRONTEND=noninteractive su -l "$2" -c "$3"' - "$bare" "$1" "$2"
}

# part NAME EXIT-CODE TEXT COMMAND... : runs it and looks whether it ends as it should, and writes
# the text (a regular expression).
part() {
  local name=$1 wanted=$2 text=$3 result=0 verdict=ok
  shift 3
  TIMEFORMAT='%R s, CPU %U + %S s'
  say "$system: $name"
  { time "$@" > "$systems/log" 2>&1 < /dev/null || result=$?; } 2> "$systems/time"
  if [ "$result" -ne "$wanted" ] || ! grep -qE -- "$text" "$systems/log"; then
    verdict="FAILED: exit code $result, wanted $wanted and \"$text\""
    cp "$systems/log" "$systems/failed-$system-${name//[^a-z0-9]/-}.log"
    tail -n 40 "$systems/log" >&2
    failed=yes
  fi
  printf '%-17s %-44s %s  (%s)\n' "$system" "$name" "$verdict" "$(tail -n 1 "$systems/time")"
}
