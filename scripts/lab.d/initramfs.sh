# Makes the lab's root file system. Sourced by scripts/lab.
#
#   initramfs_find    prints the base archive for this machine's JDK and busybox, if it was made
#   initramfs_build   makes it if it was not, and beside it the Java runtime that is in it
#   initramfs_run     writes a run's initramfs: the base, then iolite and what is to be run
#
# The kernel unpacks one archive after the other, so the large one is made once and kept.

INITRAMFS_MODULES=java.base,java.compiler,java.instrument,java.logging,java.management
INITRAMFS_MODULES+=,java.xml,jdk.management,jdk.unsupported,jdk.zipfs

# The run of the client on the host from which Java's cache of classes is made. Java takes one run,
# so it is one that loads much of what the other commands load too; on the model, it needs nothing.
INITRAMFS_TRAINING=(--kernel mock:plain passthrough)

initramfs_busybox() {
  local file
  for file in /bin/busybox /usr/bin/busybox; do
    # The dynamic loader says of a static program that it has nothing to load.
    if [ -x "$file" ] && ! ldd "$file" > /dev/null 2>&1; then
      printf '%s\n' "$file"
      return
    fi
  done
  return 1
}

initramfs_find() {
  local java busybox hash
  java=$(find_java25 2> /dev/null) && busybox=$(initramfs_busybox) || return
  hash=$({
    printf '%s\n' "$INITRAMFS_MODULES"
    cat "$LAB_SCRIPTS"/guest/* "$LAB_SCRIPTS/initramfs.sh" "$java/release"
    stat -c '%s %Y' "$busybox" "$java/lib/modules" /lib/x86_64-linux-gnu/libc.so.6
  } | sha256sum | cut -c 1-12)
  printf '%s\n' "$LAB_CACHE/initramfs/$hash.cpio"
  [ -s "$LAB_CACHE/initramfs/$hash.cpio" ]
}

initramfs_build() {
  local base java old
  if base=$(initramfs_find); then
    say "initramfs: in the cache, $base"
    return
  fi
  java=$(find_java25)
  [ -n "$base" ] || fail "No static busybox in /bin or /usr/bin; Debian's busybox-static has one."
  mkdir -p "$LAB_CACHE/initramfs"
  (
    flock 8
    [ ! -s "$base" ] || exit 0
    # What an interrupted build left, and archives that nothing has used for a week.
    rm -rf "$LAB_CACHE/initramfs/partial"
    find "$LAB_CACHE/initramfs" -maxdepth 1 -name '*.cpio' -atime +7 | while read -r old; do
      rm -rf "$old" "${old%.cpio}.java"
    done
    with_progress "initramfs: linking a Java runtime from $java" initramfs_make "$java" "$base"
    say "initramfs: made, $base"
  ) 8> "$LAB_CACHE/initramfs/lock"
}

initramfs_make() {
  local java=$1 base=$2 partial="$LAB_CACHE/initramfs/partial" root name file
  root="$partial/root"
  mkdir -p "$root"/{bin,dev,etc,proc,root,sys,tmp,host,app}
  cp "$(initramfs_busybox)" "$root/bin/busybox"
  for name in $("$root/bin/busybox" --list); do
    [ "$name" = busybox ] || ln -s busybox "$root/bin/$name"
  done
  # Util-linux's, for tests with few capabilities: busybox's can't limit the bounding set.
  rm -f "$root/bin/setpriv"
  install -m 755 /usr/bin/setpriv "$root/bin/setpriv"
  printf 'root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n' > "$root/etc/passwd"
  printf 'root:x:0:\nuser:x:1000:\n' > "$root/etc/group"
  printf '127.0.0.1 localhost\n' > "$root/etc/hosts"
  install -m 755 "$LAB_SCRIPTS/guest/init" "$root/init"
  install -m 755 "$LAB_SCRIPTS/guest/iolite" "$root/bin/iolite"
  # Without the jmods directory jlink takes the modules from the JDK's own run-time image. In Debian's
  # jmods there are 720 MB of debug symbols.
  "$java/bin/jlink" --add-modules "$INITRAMFS_MODULES" --no-man-pages --no-header-files \
    --exclude-files '**.debuginfo' --output "$root/java"
  jdk_adapt "$root/java" "$java"
  # The C library's parts, at the paths where the programs look for them. The loader fails on a file
  # that is not dynamic; what it says of the others counts.
  { find "$root/java" "$root/bin/setpriv" -type f \( -name '*.so' -o -path '*/bin/*' \) \
    -exec sh -c 'for file; do $0 "$file"; done' "$(jdk_loader "$java")" {} + || true; } \
    2> /dev/null | awk '$2 == "=>" { print $3 } $2 ~ /^\(0x/ { print $1 }' |
    grep '^/' | grep -vF "$root" | sort -u | while read -r file; do
      install -D "$file" "$root$file"
    done
  # The UTF-8 locale, without which Java reads and writes ASCII.
  mkdir -p "$root/usr/lib/locale"
  cp -r /usr/lib/locale/C.utf8 "$root/usr/lib/locale/"
  (cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) > "$partial/base.cpio"
  # The runtime itself too: only the very same one can make a cache of loaded classes for it.
  rm -rf "${base%.cpio}.java"
  mv "$root/java" "${base%.cpio}.java"
  mv "$partial/base.cpio" "$base"
  rm -rf "$partial"
}

# Makes Java's cache of loaded and linked classes (JEP 514) from a run of the client on the host,
# once for these jars: loading is most of what a run in the lab takes. Prints the cache's directory,
# which has the jars too, for the guest must see them at the path and with the time that the cache
# was made with. Without a cache, or if Java refuses it, a run is only slower.
initramfs_aot() {
  local app=$1 base=$2 dir
  dir="$LAB_CACHE/aot/$({
    printf '%s\n' "$base"
    cd "$app" && find -L iolite-cli.jar lib -type f -exec sha256sum {} + | LC_ALL=C sort
  } | sha256sum | cut -c 1-12)"
  mkdir -p "$LAB_CACHE/aot"
  (
    flock 8
    if [ ! -s "$dir/iolite.aot" ]; then
      find "$LAB_CACHE/aot" -mindepth 1 -maxdepth 1 -type d -mtime +7 -exec rm -rf {} +
      rm -rf "$dir"
      mkdir "$dir"
      cp -rL "$app/iolite-cli.jar" "$app/lib" "$dir/"
      touch -d @0 "$dir/iolite-cli.jar" "$dir"/lib/*
      "${base%.cpio}.java/bin/java" -XX:AOTCacheOutput="$dir/partial.aot" -XX:+UseSerialGC \
        --enable-native-access=dev.iolite,dev.iolite.uapi --module-path "$dir/iolite-cli.jar:$dir/lib" \
        --module dev.iolite.cli/dev.iolite.cli.Main "${INITRAMFS_TRAINING[@]}" \
        > "$dir/log" 2>&1 < /dev/null ||
        say "the run that Java's cache of classes is made from failed; why: $dir/log"
      mv "$dir/partial.aot" "$dir/iolite.aot" 2>> "$dir/log" ||
        say "no cache of Java classes could be made, so this run is slower; why: $dir/log"
    fi
    touch "$dir"
  ) 8> "$LAB_CACHE/aot/lock"
  printf '%s\n' "$dir"
}

# initramfs_run DIR : DIR/app holds what the guest finds in /app; makes DIR/initramfs.
initramfs_run() {
  local base aot
  base=$(initramfs_find)
  if [ -e "$1/app/lib" ]; then
    aot=$(initramfs_aot "$1/app" "$base")
    if [ -s "$aot/iolite.aot" ]; then
      ln -s "$aot/iolite.aot" "$1/app/iolite.aot"
      printf '%s\n' "$aot" > "$1/app/at"
    fi
  fi
  {
    cat "$base"
    cd "$1"
    find -L app | cpio --quiet -o -L -H newc -R 0:0
  } > "$1/initramfs"
}
