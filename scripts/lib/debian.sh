# Functions to take single packages from any suite of the machine's Debian archive.
# Sourced, not run; needs common.sh. The machine's own package lists, caches and pins are not touched.
#
#   debian_mirror                         the archive's address
#   debian_download SUITE PACKAGE DIR     PACKAGE is NAME or NAME=VERSION; prints the path

# Writes an apt configuration of its own into DIR, for one suite of one archive and only Debian's
# keys, and prints the configuration's path.
debian_apt() {
  local dir=$1 mirror=$2 suite=$3 keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  [ -r "$keyring" ] || lacks \
    "Debian's archive keys are missing: $keyring" \
    "Install them: apt-get install debian-archive-keyring" || return
  mkdir -p "$dir/none" "$dir/lists/partial" "$dir/cache/archives/partial"
  : > "$dir/status"
  printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$suite" > "$dir/sources.list.new"
  # Another mirror than last time: its lists have other names, so the old ones are of no use.
  cmp -s "$dir/sources.list.new" "$dir/sources.list" || rm -f "$dir/updated"
  mv "$dir/sources.list.new" "$dir/sources.list"
  cat > "$dir/apt.conf" <<CONF
Dir::State "$dir";
Dir::State::status "$dir/status";
Dir::State::lists "$dir/lists";
Dir::Cache "$dir/cache";
Dir::Etc::SourceList "$dir/sources.list";
Dir::Etc::SourceParts "$dir/none";
Dir::Etc::Preferences "$dir/none/preferences";
Dir::Etc::PreferencesParts "$dir/none";
APT::Sandbox::User "";
Acquire::Retries "3";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
CONF
  printf '%s\n' "$dir/apt.conf"
}

# The address that the machine's apt configuration names for the release's own codename. apt does
# the parsing, so .sources and .list files count, whatever their options, and no package list need
# have been fetched. If several archives have that codename, it is the one that Debian signed.
debian_mirror() {
  local codename state="$IOLITE_CACHE/apt/sources" mirrors mirror conf
  codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
  mkdir -p "$state/lists/partial"
  mirrors=$(apt-get -o Dir::State="$state" -o Dir::Cache="$state" --print-uris update |
    sed -n "s|^'\(.*\)/dists/$codename/main/binary-[^/]*/Packages.*|\1|p" | sort -u)
  case $mirrors in
    '') ;;
    *$'\n'*)
      for mirror in $mirrors; do
        conf=$(debian_apt "$IOLITE_CACHE/apt/signed" "$mirror" "$codename") || return
        if apt-get -c "$conf" -o Acquire::IndexTargets::deb::Packages::DefaultEnabled=false \
          -qq --error-on=any update > /dev/null 2>&1; then
          printf '%s\n' "$mirror"
          return
        fi
      done
      ;;
    *)
      printf '%s\n' "$mirrors"
      return
      ;;
  esac
  lacks \
    "No Debian archive found in this machine's apt configuration." \
    "Wanted: a source with the release's codename (${codename:-none in /etc/os-release})," \
    "component main, signed by Debian. Looked at: ${mirrors:-no source with that codename}"
}

# The apt configuration of one suite, its package lists fetched if they are older than a day.
debian_suite() {
  local suite=$1 dir="$IOLITE_CACHE/apt/$1" mirror conf
  mirror=$(debian_mirror) || return
  conf=$(debian_apt "$dir" "$mirror" "$suite") || return
  if [ -z "$(find "$dir/updated" -mtime -1 2>/dev/null)" ]; then
    printf 'Reading the package lists of %s from %s\n' "$suite" "$mirror" >&2
    if ! apt-get -c "$conf" -qq --error-on=any update >&2; then
      lacks \
        "Could not read the package lists of $suite from $mirror." \
        "A missing key (NO_PUBKEY) means that debian-archive-keyring is older than the suite:" \
        "upgrade it (apt-get install --only-upgrade debian-archive-keyring) and try again." || return
    fi
    touch "$dir/updated"
  fi
  printf '%s\n' "$conf"
}

# Puts PACKAGE's .deb of SUITE into DIR and prints its path; all else goes to standard error.
# VERSION may be a pattern (7.3.*): the newest that matches is taken. A file that is already there
# is used again and nothing is asked of the network. apt checks the archive's signature and the
# file's hash.
debian_download() {
  local suite=$1 name=${2%%=*} dir=$3 wanted='*' versions version='' conf file candidate
  case $2 in *=*) wanted=${2#*=} ;; esac
  mkdir -p "$dir" "$IOLITE_CACHE"
  dir=$(cd "$dir" && pwd)
  (
    flock 9
    # apt writes the colon of an epoch as %3a in a file's name.
    file=$(find "$dir" -maxdepth 1 -name "${name}_${wanted//:/%3a}_*.deb" | sort -V | tail -n 1)
    if [ -z "$file" ]; then
      conf=$(debian_suite "$suite") || exit
      versions=$(apt-cache -c "$conf" madison "$name" 2>/dev/null | awk '{ print $3 }')
      for candidate in $versions; do
        # shellcheck disable=SC2053 # a pattern is wanted here
        if [[ $candidate == $wanted ]]; then
          version=$candidate
          break
        fi
      done
      [ -n "$version" ] || lacks \
        "Debian's $suite has no $name with version $wanted at $(debian_mirror)." \
        "It has: ${versions:-no such package}" || exit
      printf 'Downloading %s %s from %s\n' "$name" "$version" "$suite" >&2
      # In a directory of its own, so that an interrupted download is never taken for a whole one.
      rm -rf "$dir/partial"
      mkdir "$dir/partial"
      if ! (cd "$dir/partial" && apt-get -c "$conf" -q download "$name=$version" >&2); then
        rm -rf "$dir/partial"
        lacks "Could not download $name $version from Debian's $suite at $(debian_mirror)." \
          "apt's message is above. If the archive has moved on, remove $IOLITE_CACHE/apt" \
          "and try again." || exit
      fi
      mv "$dir/partial/${name}_"*.deb "$dir/"
      rmdir "$dir/partial"
      file=$(find "$dir" -maxdepth 1 -name "${name}_${version//:/%3a}_*.deb")
    fi
    printf '%s\n' "$file"
  ) 9> "$IOLITE_CACHE/debian.lock"
}
