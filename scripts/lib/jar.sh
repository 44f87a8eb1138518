# Functions to build the client. Sourced, not run; needs common.sh.
#
#   build_client    sets $client to a directory with iolite-cli.jar and its libraries in lib
#   build_tests     the same, and sets $tests to one with test-classes and test-lib
#   fetch_libraries PROFILE NAME
#                   sets $libraries to a directory with what a Maven profile, of NAME, adds

# The artifacts that the command is made of, and where their sources are.
ARTIFACTS=(iolite-uapi:bindings iolite:src/client iolite-mock:src/mock iolite-assign:src/assign
  iolite-vmm:src/vmm iolite-cli:src/cli)

# Those for the tests of others, which our tests look at, too.
FOR_TESTS=(iolite-junit:src/junit iolite-testcontainers:src/testcontainers)

# Where the client alone is built: beside what Maven makes with all checks, which it must not mix
# with. In the cache, if the checkout is not ours to write to.
if [ -w "$root" ]; then
  QUICK="$root/target/quick"
else
  QUICK="$IOLITE_CACHE/quick/$(printf '%s' "$root" | sha256sum | cut -c 1-12)"
fi

# target_of checked|quick NAME FOLDER
target_of() {
  if [ "$1" = checked ]; then
    printf '%s\n' "$root/$3/target"
  else
    printf '%s\n' "$QUICK/$2"
  fi
}

# is_newest JAR SOURCE... : it is there, and no source is younger.
is_newest() {
  local jar=$1 source sources=("$root/pom.xml")
  shift
  [ -e "$jar" ] || return
  for source in "$@"; do
    [ ! -e "$source" ] || sources+=("$source")
  done
  [ -z "$(find "${sources[@]}" -type f -newer "$jar" -print -quit)" ]
}

# client_is_fresh checked|quick : so are the command and all that it is made of.
client_is_fresh() {
  local pair name folder jar
  for pair in "${ARTIFACTS[@]}"; do
    name=${pair%:*} folder=${pair#*:}
    jar="$(target_of "$1" "$name" "$folder")/$name.jar"
    is_newest "$jar" "$root/$folder"/{pom.xml,generated,src/main} || return
    [ "$name" = iolite-cli ] || cmp -s "$jar" "$client/lib/$name"-[0-9]*.jar || return
  done
}

tests_are_fresh() {
  local pair name folder jar
  for pair in "${ARTIFACTS[@]}" iolite-it:src/it; do
    name=${pair%:*} folder=${pair#*:}
    jar="$root/$folder/target/$name"
    is_newest "$jar-tests.jar" "$root/$folder"/{pom.xml,src/test} || return
    [ "$name" != iolite-it ] || continue
    cmp -s "$jar.jar" "$tests/test-lib/$name"-[0-9]*[!s].jar || return
    cmp -s "$jar-tests.jar" "$tests/test-lib/$name"-[0-9]*-tests.jar || return
  done
  for pair in "${FOR_TESTS[@]}"; do
    name=${pair%:*} folder=${pair#*:}
    jar="$root/$folder/target/$name.jar"
    is_newest "$jar" "$root/$folder"/{pom.xml,src/main} || return
    cmp -s "$jar" "$tests/test-lib/$name"-[0-9]*.jar || return
  done
}

build_client() {
  local kind
  for kind in checked quick; do
    client=$(target_of "$kind" iolite-cli src/cli)
    ! client_is_fresh "$kind" || return 0
  done
  require jdk25="$JDK_PACKAGE" mvn=maven
  one_build "$QUICK" "building the iolite command (about a minute the first time)" \
    -pl src/cli -am -Dquick="$QUICK"
}

build_tests() {
  client="$root/src/cli/target" tests="$root/src/it/target"
  ! { client_is_fresh checked && tests_are_fresh; } || return 0
  need_own_path
  require jdk25="$JDK_PACKAGE" mvn=maven
  one_build "$root/target" "building iolite and its tests (some minutes the first time)" -DskipTests
}

fetch_libraries() {
  libraries="$IOLITE_CACHE/$1"
  [ -z "$(find "$libraries" -name '*.jar' -newer "$root/pom.xml" -print -quit 2> /dev/null)" ] || return 0
  require mvn=maven
  rm -rf "$libraries"
  JAVA_HOME=$(find_java25) with_progress "fetching $2" mvn -B -f "$root/pom.xml" -N \
    -Dquick="$root/target/quick" "-P$1" dependency:copy-dependencies -DoutputDirectory="$libraries"
  touch "$libraries"/*
}

# one_build DIR WHAT MAVEN-OPTION... : a second one waits for the first.
one_build() {
  local dir=$1 what=$2 java started made
  shift 2
  java=$(find_java25)
  mkdir -p "$dir"
  exec 7> "$dir/lock"
  flock --nonblock 7 || { say "another build is under way, waiting for it" && flock 7; }
  started=$(scratch)
  # A library of another version, left by an earlier build, would be on the module path too.
  rm -rf "$client/lib" ${tests:+"$tests/test-lib"}
  # Of a short run the better compiler would be most.
  JAVA_HOME=$java MAVEN_OPTS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC ${MAVEN_OPTS:-}" \
    with_progress "$what" mvn -B -f "$root/pom.xml" package "$@" 7>&-
  made=("$root"/{bindings,src/*}/target)
  [ "$dir" != "$QUICK" ] || made=("$QUICK"/*)
  # Maven leaves a jar whose content would be the same as it is.
  find "${made[@]}" -maxdepth 1 -type f -name 'iolite*.jar' -exec touch -r "$started" {} +
  rm "$started"
  exec 7>&-
}
