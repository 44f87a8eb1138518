# Builds the lab's kernels. Sourced by scripts/lab.
#
#   kernel_names      prints the names: stock, and the folders of kernel/
#   kernel_find       prints the directory of $LAB_KERNEL as it is committed, if it is built
#   kernel_build      builds it if it is not
#   kernel_check      builds $LAB_KERNEL at each of its patches
#
# A kernel is Debian's source with scripts/lab.d/kernel.config and, if it is not "stock", the patches
# and the configuration in kernel/NAME. A finished one is $LAB_CACHE/kernel/VERSION_NAME_HASH, with
# bzImage and config. All are made in one tree, $LAB_CACHE/kernel/tree, which stays: from one kernel
# to the next only the patches change, and make does again what they touch. $LAB_VARIANT is empty, or
# what is added to the name of a kernel with more configuration, as "-sanitised"; it is built in a
# directory of its own.

KERNEL_PACKAGE=linux-source-7.3
KERNEL_SUITE=trixie-backports
KERNEL_TREE="$LAB_CACHE/kernel/tree"

kernel_names() {
  local directory
  printf 'stock\n'
  for directory in "$root"/kernel/*/; do
    [ ! -e "$directory/config" ] || basename "$directory"
  done
}

kernel_patches() {
  [ "$LAB_KERNEL" = stock ] || find "$root/kernel/$LAB_KERNEL" -name '0*.patch' ! -name '0000-*' | sort
}

# The configuration's lines; its comments do not count.
kernel_config() {
  local files=("$LAB_SCRIPTS/kernel.config")
  [ "$LAB_KERNEL" = stock ] || files+=("$root/kernel/$LAB_KERNEL/config")
  [ -z "$LAB_VARIANT" ] || files+=("$LAB_SCRIPTS/kernel$LAB_VARIANT.config")
  cat "${files[@]}" | grep '^CONFIG_' | LC_ALL=C sort
}

kernel_hash() {
  { kernel_config && kernel_patches | xargs -r cat; } | sha256sum | cut -c 1-12
}

# Any source version will do, the newest first: a build in the cache is good without a network.
kernel_find() {
  find "$LAB_CACHE/kernel" -mindepth 1 -maxdepth 1 -name "*_${LAB_KERNEL}_$(kernel_hash)" \
    2> /dev/null | sort -V | tail -n 1 | grep .
}

kernel_build() {
  local kernel
  if kernel=$(kernel_find); then
    say "kernel $LAB_KERNEL$LAB_VARIANT: in the cache, $kernel"
    return
  fi
  mkdir -p "$LAB_CACHE/kernel"
  (
    flock --nonblock 8 || { say "kernel: another build is under way, waiting for it"; flock 8; }
    ! kernel_find > /dev/null || exit 0
    kernel_source
    mapfile -t patches < <(kernel_patches)
    kernel_patch "${patches[@]}"
    kernel_configure
    with_progress "kernel $LAB_KERNEL$LAB_VARIANT: building with $(nproc) processors (the first takes 10 to 25 minutes with two)" \
      kernel_make -j"$(nproc)" bzImage
    kernel="$LAB_CACHE/kernel/$(cat "$KERNEL_TREE/version")_${LAB_KERNEL}_$(kernel_hash)"
    rm -rf "$KERNEL_TREE/done"
    mkdir "$KERNEL_TREE/done"
    cp "$KERNEL_TREE/build$LAB_VARIANT/arch/x86/boot/bzImage" "$KERNEL_TREE/done/bzImage"
    cp "$KERNEL_TREE/build$LAB_VARIANT/.config" "$KERNEL_TREE/done/config"
    mv "$KERNEL_TREE/done" "$kernel"
    say "kernel $LAB_KERNEL$LAB_VARIANT: built, $kernel"
  ) 8> "$LAB_CACHE/kernel/lock"
}

# A kernel at each patch: what the series is judged by when somebody bisects over it. The files that a
# patch touches are then compiled once more with make's W=1 and -Werror. W=1 for all of the kernel would
# compile all of it twice, before and after.
kernel_check() {
  local patch applied=() touched
  [ "$LAB_KERNEL" != stock ] || fail "The stock kernel has no patches. Name one: $(kernel_names | xargs)"
  mkdir -p "$LAB_CACHE/kernel"
  (
    flock 8
    kernel_source
    kernel_patch
    rm -f "$KERNEL_TREE/configured$LAB_VARIANT" "$KERNEL_TREE/wanted"
    for patch in $(kernel_patches); do
      applied+=("$patch")
      kernel_patch "${applied[@]}"
      # The options of a series come with its patches, so here they may be missing.
      if [ ! -e "$KERNEL_TREE/wanted" ] || grep -q '^+++ b/.*Kconfig' "$patch"; then
        kernel_config > "$KERNEL_TREE/wanted"
        with_progress "kernel $LAB_KERNEL$LAB_VARIANT: configuring" kernel_merge
      fi
      with_progress "kernel $LAB_KERNEL$LAB_VARIANT: building at $(basename "$patch")" \
        kernel_make -j"$(nproc)" bzImage
      mapfile -t touched < <(kernel_touched "$patch")
      [ "${#touched[@]}" = 0 ] ||
        with_progress "kernel $LAB_KERNEL$LAB_VARIANT: W=1 for ${touched[*]}" \
          kernel_make -j"$(nproc)" W=1e "${touched[@]}"
    done
    mv "$KERNEL_TREE/wanted" "$KERNEL_TREE/configured$LAB_VARIANT"
    say "kernel $LAB_KERNEL$LAB_VARIANT: builds at each of its ${#applied[@]} patches, and the files they touch do without a warning"
  ) 8> "$LAB_CACHE/kernel/lock"
}

# The object files of this configuration that a patch changes.
kernel_touched() {
  local object
  sed -n 's,^+++ b/\(.*\)\.c$,\1.o,p' "$1" | sort -u | while read -r object; do
    [ ! -e "$KERNEL_TREE/build$LAB_VARIANT/$object" ] || printf '%s\n' "$object"
  done
}

# The tree, as Debian has it or with the patches of the last build.
kernel_source() {
  local deb version
  [ ! -d "$KERNEL_TREE/source" ] || return 0
  deb=$(debian_download "$KERNEL_SUITE" "$KERNEL_PACKAGE" "$LAB_CACHE/source")
  version=$(dpkg-deb --field "$deb" Version)
  rm -rf "$KERNEL_TREE"
  mkdir -p "$KERNEL_TREE/applied" "$KERNEL_TREE/build" "$KERNEL_TREE/unpacking"
  with_progress "kernel: unpacking the source, $version" \
    kernel_unpack "$deb" "$KERNEL_TREE/unpacking"
  printf '%s\n' "$version" > "$KERNEL_TREE/version"
  mv "$KERNEL_TREE/unpacking/$KERNEL_PACKAGE" "$KERNEL_TREE/source"
  rm -rf "$KERNEL_TREE/unpacking" "$LAB_CACHE/source"
}

kernel_unpack() {
  dpkg-deb --fsys-tarfile "$1" | tar -xO "./usr/src/$KERNEL_PACKAGE.tar.xz" | tar -C "$2" -xJ
}

# kernel_patch PATCH... : the tree gets these and no others. applied/ has a copy of each that it has,
# by number; those that stay are not touched.
kernel_patch() {
  local applied=("$KERNEL_TREE"/applied/*.patch) same=0 i patch
  [ -e "${applied[0]}" ] || applied=()
  while [ "$same" -lt "${#applied[@]}" ] && [ "$same" -lt $# ] &&
    cmp -s "${applied[same]}" "${@:same+1:1}"; do
    same=$((same + 1))
  done
  for ((i = ${#applied[@]} - 1; i >= same; i--)); do
    kernel_patch_one --reverse "${applied[i]}"
    rm "${applied[i]}"
  done
  for ((i = same; i < $#; i++)); do
    patch=${*:i+1:1}
    kernel_patch_one --forward "$patch"
    cp "$patch" "$(printf '%s/applied/%04d.patch' "$KERNEL_TREE" "$i")"
  done
}

kernel_patch_one() {
  local version
  version=$(cat "$KERNEL_TREE/version")
  patch -s -p1 --fuzz=0 --dry-run -d "$KERNEL_TREE/source" "$1" < "$2" >&2 ||
    fail "$(basename "$2") does not apply to Debian's $KERNEL_PACKAGE $version." \
      "Either the series is for another version ($(kernel_base)), or the tree is spoilt: then" \
      "remove $KERNEL_TREE and build again."
  patch -s -p1 --fuzz=0 --no-backup-if-mismatch -d "$KERNEL_TREE/source" "$1" < "$2" >&2
}

# The kernel that a series was made for.
kernel_base() {
  sed -n 's/^# base: //p' "$root/kernel/$LAB_KERNEL/config" 2> /dev/null
}

kernel_make() {
  make -C "$KERNEL_TREE/source" O="$KERNEL_TREE/build$LAB_VARIANT" KBUILD_BUILD_USER=iolite \
    KBUILD_BUILD_HOST=lab "$@"
}

# The configuration is written anew only if it changed, so that make has nothing to do again.
kernel_configure() {
  local lost
  kernel_config > "$KERNEL_TREE/wanted"
  if ! cmp -s "$KERNEL_TREE/wanted" "$KERNEL_TREE/configured$LAB_VARIANT"; then
    rm -f "$KERNEL_TREE/configured$LAB_VARIANT"
    with_progress "kernel $LAB_KERNEL$LAB_VARIANT: configuring" kernel_merge
    lost=$(sed 's/^# \(CONFIG_.*\) is not set$/\1=n/' "$KERNEL_TREE/build$LAB_VARIANT/.config" |
      grep -vxFf - "$KERNEL_TREE/wanted") &&
      fail "This kernel's configuration does not take these lines of its fragment:" \
        "$lost" "An option was renamed, or what it depends on is missing."
    mv "$KERNEL_TREE/wanted" "$KERNEL_TREE/configured$LAB_VARIANT"
  fi
}

kernel_merge() {
  kernel_make tinyconfig &&
    cat "$KERNEL_TREE/wanted" >> "$KERNEL_TREE/build$LAB_VARIANT/.config" &&
    kernel_make olddefconfig
}
