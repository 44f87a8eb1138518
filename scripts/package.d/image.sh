# The command as a container image in a file, which an engine loads without a registry: an OCI image
# layout, with the manifest that older versions of docker expect.

# blob DIR FILE : puts a file among the image's blobs, and prints its digest.
blob() {
  local digest
  digest=$(sha256sum < "$2" | cut -d ' ' -f 1)
  mv "$2" "$1/blobs/sha256/$digest"
  printf '%s\n' "$digest"
}

# descriptor LAYOUT DIGEST TYPE : what points to a blob.
descriptor() {
  printf '{"mediaType": "application/vnd.oci.image.%s", "digest": "sha256:%s", "size": %d}' \
    "$3" "$2" "$(stat -c %s "$1/blobs/sha256/$2")"
}

# image_tree TREE APP PACKAGE... : the image's files: iolite, the Debian packages that its Java needs, and a
# shell, which starts it.
image_tree() {
  local tree=$1 app=$2 directory package
  mkdir -p "$tree"/{dev,etc,proc,run,sys,tmp,usr/bin,usr/lib,usr/lib64,usr/sbin,debs}
  chmod 1777 "$tree/tmp"
  for directory in bin lib lib64 sbin; do
    ln -s "usr/$directory" "$tree/$directory"
  done
  (cd "$tree/debs" && apt-get -qq -o APT::Sandbox::User=root download "${@:3}" busybox-static)
  for package in "$tree"/debs/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -C "$tree" --keep-directory-symlink -xf - \
      --exclude './usr/share/man/*' --exclude './usr/share/lintian/*' --exclude './usr/share/locale/*'
  done
  rm -rf "$tree/debs"
  ln -s busybox "$tree/usr/bin/sh"
  ln -s busybox "$tree/usr/bin/readlink"
  printf 'root:x:0:0:root:/root:/bin/sh\n' > "$tree/etc/passwd"
  cp -a "$app" "$tree/usr/lib/iolite"
  ln -s ../lib/iolite/bin/iolite "$tree/usr/bin/iolite"
}

# make_image DIR PACKAGE... : the image of the command in DIR/app, with the Debian packages that its Java
# needs.
make_image() {
  local directory=$1 layout="$1/work/layout" tree="$1/work/image" layer config manifest unpacked tag names
  mkdir -p "$layout/blobs/sha256" "$tree"
  image_tree "$tree" "$directory/app" "${@:2}"
  tar -C "$tree" --sort=name --owner=0 --group=0 --numeric-owner --format=gnu \
    --mtime="@$SOURCE_DATE_EPOCH" -cf "$directory/work/layer" .
  unpacked=$(sha256sum < "$directory/work/layer" | cut -d ' ' -f 1)
  gzip -n "$directory/work/layer"
  layer=$(blob "$layout" "$directory/work/layer.gz")
  cat > "$directory/work/config" <<JSON
{
  "created": "$(date -u -d "@$SOURCE_DATE_EPOCH" +%FT%TZ)",
  "architecture": "amd64",
  "os": "linux",
  "config": {
    "Entrypoint": ["/usr/bin/iolite"],
    "Env": ["PATH=/usr/bin", "LANG=C.UTF-8"],
    "WorkingDir": "/",
    "Labels": {
      "org.opencontainers.image.title": "iolite",
      "org.opencontainers.image.version": "$version",
      "org.opencontainers.image.revision": "$commit",
      "org.opencontainers.image.licenses": "Apache-2.0"
    }
  },
  "rootfs": {"type": "layers", "diff_ids": ["sha256:$unpacked"]}
}
JSON
  config=$(blob "$layout" "$directory/work/config")
  printf '{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",\n "config": %s,\n "layers": [%s]}\n' \
    "$(descriptor "$layout" "$config" config.v1+json)" \
    "$(descriptor "$layout" "$layer" layer.v1.tar+gzip)" > "$directory/work/manifest"
  manifest=$(blob "$layout" "$directory/work/manifest")
  printf '{"imageLayoutVersion": "1.0.0"}\n' > "$layout/oci-layout"
  tag=$(image_tag)
  # Podman takes the first for the name; containerd wants the second, as Docker writes it.
  names="\"org.opencontainers.image.ref.name\": \"iolite:$tag\""
  names+=", \"io.containerd.image.name\": \"docker.io/library/iolite:$tag\""
  printf '{"schemaVersion": 2, "manifests": [%s]}\n' \
    "$(descriptor "$layout" "$manifest" manifest.v1+json | sed "s|}\$|, \"annotations\": {$names}}|")" \
    > "$layout/index.json"
  printf '[{"Config": "blobs/sha256/%s", "RepoTags": ["iolite:%s"], "Layers": ["blobs/sha256/%s"]}]\n' \
    "$config" "$tag" "$layer" > "$layout/manifest.json"
  tar -C "$layout" --sort=name --owner=0 --group=0 --numeric-owner --format=gnu \
    --mtime="@$SOURCE_DATE_EPOCH" -cf "$directory/iolite-$version-image-x86_64.tar" .
}

# image_tag : the version, as a tag may be written.
image_tag() {
  printf '%s' "${version//\~/-}"
}
