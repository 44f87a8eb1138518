# What the scripts share. Sourced, not run, with SCRIPT, the script's name in its messages, and
# FAILED, its exit code when something is missing or fails, set by who wants others than these.
#
#   $root                                 the checkout
#   $IOLITE_CACHE                         what is downloaded or built once, outside of it
#   say TEXT                              tells what is being done
#   fail LINE...                          what was tried, what went wrong, what to do; ends the script
#   lacks LINE...                         the same, and returns
#   scratch [-d]                          makes a temporary file or directory and prints its path
#   with_progress WHAT COMMAND...         runs it and shows that it is alive
#   require TOOL=PACKAGE...               installs what is missing, or says how
shopt -s inherit_errexit

SCRIPT=${SCRIPT:-$(basename "$0")}
FAILED=${FAILED:-4}

say() {
  printf '%s: %s\n' "$SCRIPT" "$1" >&2
}

# As `fail`, for a function whose caller may go on.
lacks() {
  printf "$SCRIPT: %s\n" "$@" >&2
  return "$FAILED"
}

fail() {
  lacks "$@" || exit
}

# The environment of a service or a container may lack HOME.
if [ -z "${HOME:-}" ]; then
  HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
  export HOME
fi
IOLITE_CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/iolite"

# Not asked of who runs what is built already.
need_cache() {
  case $IOLITE_CACHE in
    *:*) fail "$IOLITE_CACHE has a colon in its path, which Java does not take." \
      "Name another directory: XDG_CACHE_HOME=/path $0 ..." ;;
  esac
  mkdir -p "$IOLITE_CACHE" 2> /dev/null && [ -w "$IOLITE_CACHE" ] ||
    fail "Can't write to $IOLITE_CACHE, where downloads and builds are kept." \
      "Name another directory: XDG_CACHE_HOME=/path $0 ..."
}

# Java's class and module paths can't name a directory with a colon, so a checkout in such a place
# is used through a link. Tests are not run through one: their processes see the true path.
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd -P)
case $root in
  *:*)
    need_cache
    mkdir -p "$IOLITE_CACHE/checkout"
    link="$IOLITE_CACHE/checkout/$(printf '%s' "$root" | sha256sum | cut -c 1-12)"
    ln -sfn "$root" "$link"
    root=$link
    ;;
esac

need_own_path() {
  [ ! -L "$root" ] || fail "$(readlink "$root") has a colon in its path, which Java's class path" \
    "does not take. The command runs there, the tests do not: use a checkout in another place."
  [ -w "$root" ] || fail "$root is read-only, and the tests are built in it. Use a copy of it."
}

scratch() {
  mktemp "$@" || fail "Can't write to ${TMPDIR:-/tmp}, where what goes away again is put." \
    "Make room in it, or name another directory: TMPDIR=/path $0 ..."
}

# explain LOG : the usual causes of a failure that its output tells of, as lines for `fail`.
explain() {
  if grep -qE 'No space left on device|Disk quota exceeded' "$1" ||
    [ "$(df --output=avail "$1" | tail -n 1)" -eq 0 ]; then
    printf '%s\n' "A disk is full; make room and start again:" \
      "$(df -h "$root" "$IOLITE_CACHE" "${TMPDIR:-/tmp}" | awk 'NR == 1 || !seen[$0]++')"
  elif grep -qE 'Unknown host|UnknownHost|Could not resolve|Temporary failure|Network is unreachable|Connection (refused|timed out|reset)|Connect timed out|Could not transfer|Failed to fetch|No route to host' "$1"; then
    printf '%s\n' "The network, or the server at its other end, did not give what was asked for." \
      "Start again when it does: what was fetched so far is kept."
  elif grep -q 'requires Maven version' "$1"; then
    printf '%s\n' "$(mvn --version 2> /dev/null | sed 's, (.*,,; 1q') is too old: the message above says" \
      "which it must be. Put a newer one first on the PATH; Debian's package maven is new enough."
  elif grep -qE 'Read-only file system|Permission denied|AccessDenied' "$1"; then
    printf '%s\n' "Something could not be written; the message above names it."
  fi
}

# Shows COMMAND's last line and its time, in one line of a terminal, else every half minute.
# If it fails, the end of what it wrote, and the cause as far as it can be told.
with_progress() {
  local what=$1 log pid next=30 started=$SECONDS took width result=0 why=()
  shift
  say "$what"
  log=$(scratch) || exit
  width=$(tput cols 2> /dev/null || echo 80)
  # A process group of its own, so that an interrupt ends all of it.
  set -m
  "$@" > "$log" 2>&1 < /dev/null &
  set +m
  pid=$!
  trap 'stop_progress 130' INT
  trap 'stop_progress 143' TERM HUP
  while kill -0 "$pid" 2> /dev/null; do
    sleep 0.2
    took=$((SECONDS - started))
    if [ -t 2 ]; then
      printf '\r\033[K%.*s' "$((width - 1))" "  $took s  $(last_line "$log")" >&2
    elif [ "$took" -ge "$next" ]; then
      say "  $took s, $(wc -l < "$log") lines, now: $(last_line "$log")"
      next=$((next + 30))
    fi
  done
  [ ! -t 2 ] || printf '\r\033[K' >&2
  trap - INT TERM HUP
  wait "$pid" || result=$?
  if [ "$result" -ne 0 ]; then
    mapfile -t why < <(explain "$log")
    { grep -E '^\[ERROR\]|^E: ' "$log" || tail -n 30 "$log"; } | head -n 40 >&2
    fail "failed after $((SECONDS - started)) s, with exit code $result: $what" "${why[@]}" \
      "All that it wrote is in $log"
  fi
  rm -f "$log"
}

stop_progress() {
  kill -- "-$pid" 2> /dev/null || true
  wait "$pid" 2> /dev/null || true
  rm -f "$log"
  [ ! -t 2 ] || printf '\r\033[K' >&2
  say "stopped; the next start goes on where it can"
  exit "$1"
}

last_line() {
  tail -n 1 "$1" | tr -cd '[:print:]' | tr -s ' ' | cut -c 1-100
}

# A tool is a program on the PATH or, with a slash, a file; jdk25 is whatever find_java25 finds.
# All that a script needs is asked for at once, so that who must install it by hand is told once.
require() {
  local pair tool missing=()
  need_cache
  for pair in "$@"; do
    tool=${pair%=*}
    case $tool in
      jdk25) find_java25 > /dev/null 2>&1 || ! jdk_is_packaged || missing+=("${pair##*=}") ;;
      /*) [ -e "$tool" ] || missing+=("${pair##*=}") ;;
      *) command -v "$tool" > /dev/null || missing+=("${pair##*=}") ;;
    esac
  done
  if [ ${#missing[@]} -gt 0 ]; then
    command -v apt-get > /dev/null || fail "Missing: ${missing[*]} (these are Debian's names)." \
      "This system has no apt-get: install them in its own way, and start again."
    [ "$(id -u)" = 0 ] || fail "Missing: ${missing[*]}" "Run this as root, then start again:" \
      "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
    with_progress "installing ${missing[*]}" apt_install "${missing[@]}"
  fi
  case " $* " in
    *' jdk25='*) find_java25 > /dev/null 2>&1 || jdk_fetch ;;
  esac
}

# Another apt that is under way is waited for. A fresh machine has no package lists yet.
apt_install() {
  local apt=(apt-get -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3)
  export DEBIAN_FRONTEND=noninteractive
  "${apt[@]}" install --no-install-recommends "$@" ||
    { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "$@"; }
}

. "$root/scripts/lib/java.sh"
