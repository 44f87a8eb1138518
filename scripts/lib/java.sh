# Functions to find or get a JDK 25. Sourced by common.sh.
#
#   find_java25       prints the home of a JDK 25 or newer
#   jdk_is_packaged   whether this release has the package
#   jdk_fetch         puts Debian 13's into the cache, for an older release
#   jdk_adapt DIR JDK makes DIR, which JDK's jlink made, run where JDK does
#   jdk_loader JDK    prints the command that lists what a program of that JDK loads

JDK_PACKAGE=openjdk-25-jdk-headless
JDK_SUITE=trixie

# The major version that a JDK's release file names, or 0.
java_major() {
  local version
  version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release" 2> /dev/null)
  printf '%s\n' "${version:-0}"
}

is_java25() {
  [ -x "$1/bin/javac" ] && [ "$(java_major "$1")" -ge 25 ]
}

# $JAVA_HOME or the PATH's if it is new enough; else, of those in the usual places, the one nearest
# to 25.
find_java25() {
  local home found
  if is_java25 "${JAVA_HOME:-}"; then
    printf '%s\n' "$JAVA_HOME"
    return
  fi
  home=$(readlink -f "$(command -v javac)") && home=${home%/bin/javac}
  if is_java25 "$home"; then
    printf '%s\n' "$home"
    return
  fi
  found=$(
    for home in /usr/lib/jvm/* /opt/* /usr/local/* /usr/local/lib/* /usr/java/* \
      "${SDKMAN_DIR:-$HOME/.sdkman}"/candidates/java/* "$HOME"/.jdks/* "$IOLITE_CACHE"/jdk/*/jdk; do
      if is_java25 "$home"; then
        printf '%s %s\n' "$(java_major "$home")" "$(readlink -f "$home")"
      fi
    done | sort -n | head -n 1
  )
  if [ -z "$found" ]; then
    lacks "No JDK 25 or newer found: not by JAVA_HOME (${JAVA_HOME:-not set}), nor on the PATH, nor" \
      "in /usr/lib/jvm, /opt, ~/.sdkman or ~/.jdks. Install one, or set JAVA_HOME to one."
    return
  fi
  printf '%s\n' "${found#* }"
}

jdk_is_packaged() {
  apt-cache show "$JDK_PACKAGE" > /dev/null 2>&1 ||
    (. /etc/os-release && [ "${ID:-}" = debian ] && [ "${VERSION_ID:-99}" -ge 13 ])
}

# Debian 12 has no JDK 25, and Debian 13's wants a newer C library than Debian 12's. So that JDK
# gets that library beside it, and its programs are made to load it from there. No root is needed.
jdk_fetch() {
  [ -r /etc/debian_version ] || find_java25 > /dev/null || exit
  with_progress "getting Debian 13's JDK 25 into $IOLITE_CACHE/jdk (400 MB), for this release has none" \
    jdk_make
}

jdk_make() {
  local home="$IOLITE_CACHE/jdk" suite package deb version
  . "$root/scripts/lib/debian.sh"
  suite=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
  mkdir -p "$home"
  (
    flock 8
    rm -rf "$home/partial"
    for package in "$JDK_PACKAGE" "${JDK_PACKAGE/-jdk-/-jre-}" libc6; do
      deb=$(debian_download "$JDK_SUITE" "$package" "$home/download") || exit
      dpkg-deb -x "$deb" "$home/partial" || exit
      [ "$package" = libc6 ] || version=$(dpkg-deb -f "$deb" Version)
    done
    deb=$(debian_download "$suite" patchelf "$home/download") || exit
    dpkg-deb -x "$deb" "$home/partial" || exit
    mkdir "$home/partial/libc"
    mv "$home"/partial/usr/lib/x86_64-linux-gnu/*.so* "$home/partial/libc/"
    mv "$home"/partial/usr/bin/patchelf "$home/partial/"
    mv "$home"/partial/usr/lib/jvm/java-25-* "$home/partial/jdk"
    mv "$home/partial/etc/java-25-openjdk" "$home/partial/etc/conf"
    jdk_relink "$home/partial" "$home/$version"
    rm -rf "${home:?}/$version"
    mv "$home/partial" "$home/$version"
    jdk_adapt "$home/$version/jdk" "$home/$version/jdk"
    "$home/$version/jdk/bin/java" -version || exit
    rm -rf "$home/download" "$home/$version"/{usr,var,lib,lib64}
  ) 8> "$home/lock"
}

# Its configuration is linked to from /etc; the certificates are this machine's.
jdk_relink() {
  local link
  find "$1/jdk" -type l -lname '/etc/java-25-openjdk/*' | while read -r link; do
    ln -sfn "$2/etc/conf/$(readlink "$link" | cut -d/ -f4-)" "$link"
  done
  ln -sfn /etc/ssl/certs/java/cacerts "$1/jdk/lib/security/cacerts"
}

# The command that lists what a program of this JDK loads.
jdk_loader() {
  local own
  own=$(dirname "$1")
  if [ -d "$own/libc" ]; then
    printf '%s --library-path %s --list\n' "$own/libc/ld-linux-x86-64.so.2" "$own/libc"
  else
    printf 'ldd\n'
  fi
}

jdk_adapt() {
  local own program
  own=$(dirname "$2")
  [ -x "$own/patchelf" ] || return 0
  for program in "$1"/bin/* "$1"/lib/jspawnhelper; do
    "$own/patchelf" --set-interpreter "$own/libc/ld-linux-x86-64.so.2" "$program" 2> /dev/null ||
      continue
    # The other parts of the C library come with the first that is loaded, so that all are of one.
    "$own/patchelf" --add-needed libm.so.6 --add-needed libdl.so.2 --add-needed libpthread.so.0 \
      "$program"
    "$own/patchelf" --force-rpath --set-rpath "\$ORIGIN/../lib:\$ORIGIN:$own/libc" "$program"
  done
}
