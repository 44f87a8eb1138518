# Function to find a JDK 25. Sourced, not run.
#
#   find_java25     prints the home of a JDK 25 or newer

# The major version that a JDK's release file names, or 0.
java_major() {
  local version
  version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release" 2>/dev/null)
  printf '%s\n' "${version:-0}"
}

# $JAVA_HOME if it is new enough; else, of the JDKs in /usr/lib/jvm, the one nearest to 25.
find_java25() {
  local home found=''
  if [ -n "${JAVA_HOME:-}" ] && [ -x "$JAVA_HOME/bin/javac" ] &&
    [ "$(java_major "$JAVA_HOME")" -ge 25 ]; then
    printf '%s\n' "$JAVA_HOME"
    return
  fi
  found=$(
    for home in /usr/lib/jvm/*; do
      if [ -x "$home/bin/javac" ] && [ "$(java_major "$home")" -ge 25 ]; then
        printf '%s %s\n' "$(java_major "$home")" "$(readlink -f "$home")"
      fi
    done | sort -n | head -n 1
  )
  if [ -z "$found" ]; then
    printf '%s\n' \
      "No JDK 25 found: neither JAVA_HOME (${JAVA_HOME:-not set}) nor /usr/lib/jvm/* is one." \
      "Install it: apt-get install openjdk-25-jdk-headless" \
      "(Debian 13 and newer have it), or set JAVA_HOME to a JDK 25 or newer." >&2
    return 1
  fi
  printf '%s\n' "${found#* }"
}
