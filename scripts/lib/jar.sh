# Functions to build the client. Sourced, not run; needs common.sh.
#
#   build_client    sets $client to a directory with iolite.jar and its libraries in lib
#   build_tests     makes $root/target/iolite.jar, test-classes and test-lib

# Where the client alone is built: beside what Maven makes with all checks, which it must not mix
# with. In the cache, if the checkout is not ours to write to.
if [ -w "$root" ]; then
  QUICK="$root/target/quick"
else
  QUICK="$IOLITE_CACHE/quick/$(printf '%s' "$root" | sha256sum | cut -c 1-12)"
fi

# is_fresh DIR SOURCE... : no source is younger than the jar.
is_fresh() {
  local dir=$1
  shift
  [ -e "$dir/iolite.jar" ] && [ -d "$dir/lib" ] &&
    [ -z "$(find "$root/pom.xml" "$root/bindings" "$@" -type f -newer "$dir/iolite.jar" \
      -print -quit)" ]
}

build_client() {
  for client in "$root/target" "$QUICK"; do
    ! is_fresh "$client" "$root/src/main" || return 0
  done
  require jdk25="$JDK_PACKAGE" mvn=maven
  one_build "$QUICK" "building the iolite command (about a minute the first time)" \
    -Dquick="$QUICK"
}

build_tests() {
  if [ -d "$root/target/test-lib" ] && is_fresh "$root/target" "$root/src"; then
    return
  fi
  need_own_path
  require jdk25="$JDK_PACKAGE" mvn=maven
  one_build "$root/target" "building iolite and its tests (some minutes the first time)" -DskipTests
}

# one_build DIR WHAT MAVEN-OPTION... : a second one waits for the first.
one_build() {
  local dir=$1 what=$2 java
  shift 2
  java=$(find_java25)
  mkdir -p "$dir"
  exec 7> "$dir/lock"
  flock --nonblock 7 || { say "another build is under way, waiting for it" && flock 7; }
  # Of a short run the better compiler would be most.
  JAVA_HOME=$java MAVEN_OPTS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC ${MAVEN_OPTS:-}" \
    with_progress "$what" mvn -B -f "$root/pom.xml" package "$@" 7>&-
  # Maven leaves a jar whose content would be the same as it is.
  touch "$dir/iolite.jar"
  exec 7>&-
}
