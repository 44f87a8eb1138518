# Builds the lab's kernel. Sourced by scripts/lab.
#
#   kernel_find     prints the directory of a kernel built from the committed configuration
#   kernel_build    builds one if there is none
#
# A finished kernel is $LAB_CACHE/kernel/SOURCE-VERSION_CONFIGURATION-HASH, with bzImage and
# config. While it is being built, everything is in the same name with .partial: make goes on
# where an interrupted build stopped.

KERNEL_PACKAGE=linux-source-7.3
KERNEL_SUITE=trixie-backports

# The hash of what the configuration says; its comments do not count.
kernel_config_hash() {
  grep '^CONFIG_' "$LAB_SCRIPTS/kernel.config" | LC_ALL=C sort | sha256sum | cut -c 1-12
}

# Any source version will do, the newest first: a build in the cache is good without a network.
kernel_find() {
  find "$LAB_CACHE/kernel" -mindepth 1 -maxdepth 1 -name "*_$(kernel_config_hash)" 2>/dev/null |
    sort -V | tail -n 1 | grep .
}

kernel_build() {
  local deb version kernel partial
  if kernel=$(kernel_find); then
    say "kernel: in the cache, $kernel"
    return
  fi
  mkdir -p "$LAB_CACHE/kernel"
  (
    flock --nonblock 8 || { say "kernel: another build is under way, waiting for it"; flock 8; }
    kernel_find > /dev/null && exit
    deb=$(debian_download "$KERNEL_SUITE" "$KERNEL_PACKAGE" "$LAB_CACHE/source")
    version=$(dpkg-deb --field "$deb" Version)
    kernel="$LAB_CACHE/kernel/${version}_$(kernel_config_hash)"
    partial="$kernel.partial"
    mkdir -p "$partial/build"
    if [ ! -d "$partial/source" ]; then
      rm -rf "$partial/unpacking"
      mkdir "$partial/unpacking"
      with_progress "kernel: unpacking the source, $version" kernel_unpack "$deb" "$partial/unpacking"
      mv "$partial/unpacking/$KERNEL_PACKAGE" "$partial/source"
    fi
    kernel_configure "$partial"
    with_progress "kernel: building with $(nproc) processors (7 to 9 minutes with two)" \
      kernel_make "$partial" -j"$(nproc)" bzImage
    mkdir "$partial/done"
    cp "$partial/build/arch/x86/boot/bzImage" "$partial/done/bzImage"
    cp "$partial/build/.config" "$partial/done/config"
    mv "$partial/done" "$kernel"
    rm -rf "$partial" "$LAB_CACHE/source"
    say "kernel: built, $kernel"
  ) 8> "$LAB_CACHE/kernel/lock"
}

kernel_unpack() {
  dpkg-deb --fsys-tarfile "$1" | tar -xO "./usr/src/$KERNEL_PACKAGE.tar.xz" | tar -C "$2" -xJ
}

kernel_make() {
  local partial=$1
  shift
  make -C "$partial/source" O="$partial/build" KBUILD_BUILD_USER=iolite KBUILD_BUILD_HOST=lab "$@"
}

# The configuration is written anew only if it changed, so that make has nothing to do again.
kernel_configure() {
  local partial=$1 lost
  if ! cmp -s "$LAB_SCRIPTS/kernel.config" "$partial/kernel.config"; then
    with_progress "kernel: configuring" kernel_merge "$partial"
    lost=$(grep '^CONFIG_' "$LAB_SCRIPTS/kernel.config" | grep -vxFf "$partial/build/.config") &&
      fail "This kernel's configuration does not take these lines of $LAB_SCRIPTS/kernel.config:" \
        "$lost" "An option was renamed, or what it depends on is missing."
    cp "$LAB_SCRIPTS/kernel.config" "$partial/kernel.config"
  fi
}

kernel_merge() {
  kernel_make "$1" tinyconfig &&
    cat "$LAB_SCRIPTS/kernel.config" >> "$1/build/.config" &&
    kernel_make "$1" olddefconfig
}
