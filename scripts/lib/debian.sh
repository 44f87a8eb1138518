# Functions to take single packages from any suite of the machine's Debian archive.
# Sourced, not run. The machine's own package lists, caches and pins are not touched.
#
#   debian_mirror                         the archive's address
#   debian_download SUITE PACKAGE DIR     PACKAGE is NAME or NAME=VERSION; prints the path

IOLITE_CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/iolite"

debian_fail() {
  printf '%s\n' "$@" >&2
  return 1
}

# The first address that the machine's apt configuration names for the release's own codename.
# apt does the parsing, so both .sources and .list files count, whatever their options. Another
# vendor's archive may have a suite of the same name: one that says it is Debian comes first.
debian_mirror() {
  local mirror
  mirror=$(
    codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
    apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(ORIGIN) $(REPO_URI)' \
      'Created-By: Packages' |
      awk -v codename="$codename" '$1 == codename && $2 == "main" {
        print ($3 == "Debian" ? 1 : 2), $NF
      }' | sort -s -k1,1 | awk 'NR == 1 { print $2 }'
  )
  [ -n "$mirror" ] || debian_fail \
    "No Debian archive found in this machine's apt configuration." \
    "Looked for a source with the release's codename (VERSION_CODENAME in /etc/os-release)" \
    "and component main. Is this a Debian machine, and is /etc/apt/sources.list* complete?" ||
    return
  printf '%s\n' "$mirror"
}

# A directory with apt lists and cache of one suite, made or refreshed if older than a day.
# Prints its configuration file's path.
debian_suite() {
  local suite=$1 mirror home keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  [ -r "$keyring" ] || debian_fail \
    "Debian's archive keys are missing: $keyring" \
    "Install them: apt-get install debian-archive-keyring" || return
  mirror=$(debian_mirror) || return
  home="$IOLITE_CACHE/apt/$suite"
  mkdir -p "$home/none" "$home/lists/partial" "$home/cache/archives/partial"
  : > "$home/status"
  printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$suite" > "$home/sources.list.new"
  # Another mirror than last time: its lists have other names, so the old ones are of no use.
  if ! cmp -s "$home/sources.list.new" "$home/sources.list"; then
    rm -f "$home/updated"
  fi
  mv "$home/sources.list.new" "$home/sources.list"
  cat > "$home/apt.conf" <<CONF
Dir::State "$home";
Dir::State::status "$home/status";
Dir::State::lists "$home/lists";
Dir::Cache "$home/cache";
Dir::Etc::SourceList "$home/sources.list";
Dir::Etc::SourceParts "$home/none";
Dir::Etc::Preferences "$home/none/preferences";
Dir::Etc::PreferencesParts "$home/none";
APT::Sandbox::User "";
Acquire::Retries "3";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
CONF
  if [ -z "$(find "$home/updated" -mtime -1 2>/dev/null)" ]; then
    printf 'Reading the package lists of %s from %s\n' "$suite" "$mirror" >&2
    if ! apt-get -c "$home/apt.conf" -qq --error-on=any update >&2; then
      debian_fail \
        "Could not read the package lists of $suite from $mirror." \
        "A missing key (NO_PUBKEY) means that debian-archive-keyring is older than the suite:" \
        "upgrade it (apt-get install --only-upgrade debian-archive-keyring) and try again." || return
    fi
    touch "$home/updated"
  fi
  printf '%s\n' "$home/apt.conf"
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
      [ -n "$version" ] || debian_fail \
        "Debian's $suite has no $name with version $wanted at $(debian_mirror)." \
        "It has: ${versions:-no such package}" || exit
      printf 'Downloading %s %s from %s\n' "$name" "$version" "$suite" >&2
      # In a directory of its own, so that an interrupted download is never taken for a whole one.
      rm -rf "$dir/partial"
      mkdir "$dir/partial"
      if ! (cd "$dir/partial" && apt-get -c "$conf" -q download "$name=$version" >&2); then
        rm -rf "$dir/partial"
        debian_fail "Could not download $name $version from Debian's $suite at $(debian_mirror)." \
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
