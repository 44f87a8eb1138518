# What the parts of scripts/lab share. Sourced.

LAB_CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/iolite/lab"

say() {
  printf 'lab: %s\n' "$1" >&2
}

# One line a fact: what was tried, what went wrong, what to do.
fail() {
  printf 'lab: %s\n' "$@" >&2
  exit 125
}

# require_packages TOOL=PACKAGE... : a tool is a program on the PATH or, with a slash, a file.
require_packages() {
  local pair tool missing=()
  for pair in "$@"; do
    tool=${pair%=*}
    case $tool in
      /*) [ -e "$tool" ] || missing+=("${pair##*=}") ;;
      *) command -v "$tool" > /dev/null || missing+=("${pair##*=}") ;;
    esac
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || fail "These Debian packages are missing: ${missing[*]}" \
    "Install them: sudo apt-get install --no-install-recommends ${missing[*]}"
  say "installing ${missing[*]}"
  apt_install "${missing[@]}" ||
    fail "apt-get could not install ${missing[*]}; what it said is above."
}

# After this find_java25 finds one.
require_java25() {
  if ! find_java25 > /dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    say "installing openjdk-25-jdk-headless"
    apt_install openjdk-25-jdk-headless || true
  fi
  find_java25 > /dev/null || exit 125
}

# Quiet unless it fails. A fresh machine has no package lists yet.
apt_install() {
  local log
  log=$(mktemp)
  if DEBIAN_FRONTEND=noninteractive apt-get -yqq --no-install-recommends install "$@" \
    > "$log" 2>&1 < /dev/null ||
    { apt-get -qq update >> "$log" 2>&1 &&
      DEBIAN_FRONTEND=noninteractive apt-get -yqq --no-install-recommends install "$@" \
        >> "$log" 2>&1 < /dev/null; }; then
    rm -f "$log"
    return
  fi
  cat "$log" >&2
  rm -f "$log"
  return 1
}

# with_progress WHAT COMMAND... : runs it, says every half minute how long it has taken and what
# it wrote last; on failure the end of what it wrote.
with_progress() {
  local what=$1 log pid next=30 started=$SECONDS
  shift
  say "$what"
  log=$(mktemp)
  # A process group of its own, so that an interrupt ends all of it.
  set -m
  "$@" > "$log" 2>&1 < /dev/null &
  set +m
  pid=$!
  trap 'kill -- "-$pid" 2> /dev/null; rm -f "$log"; exit 130' INT TERM HUP
  while kill -0 "$pid" 2> /dev/null; do
    sleep 0.2
    if [ $((SECONDS - started)) -ge "$next" ]; then
      say "  $((SECONDS - started)) s, $(wc -l < "$log") lines, now: $(tail -n 1 "$log" | tr -s ' ' |
        cut -c 1-80)"
      next=$((next + 30))
    fi
  done
  trap - INT TERM HUP
  if ! wait "$pid"; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    fail "failed after $((SECONDS - started)) s: $what" "The end of what it wrote is above."
  fi
  rm -f "$log"
}
