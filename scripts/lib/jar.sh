# Function to build the client. Sourced, not run; needs java.sh.
#
#   build_jar ROOT     makes ROOT/target/iolite.jar, its libraries and the test classes, if one
#                      of them is missing or a source file is younger than the jar

build_jar() {
  local root=$1 jar="$1/target/iolite.jar" java log
  if [ -e "$jar" ] && [ -d "$root/target/lib" ] && [ -d "$root/target/test-lib" ] &&
    [ -z "$(find "$root/pom.xml" "$root/src" "$root/bindings" -type f -newer "$jar" \
      -print -quit)" ]; then
    return
  fi
  java=$(find_java25) || return
  if ! command -v mvn > /dev/null; then
    printf '%s\n' "Maven is needed to build $jar and is not installed." \
      "Install it: apt-get install maven" >&2
    return 1
  fi
  printf 'Building %s (a minute or two the first time)\n' "$jar" >&2
  log=$(mktemp)
  if ! JAVA_HOME=$java mvn -B -ntp -f "$root/pom.xml" package -DskipTests > "$log" 2>&1 \
    < /dev/null; then
    grep -E '^\[(ERROR|WARNING)' "$log" | head -n 40 >&2
    printf 'Could not build the jar. Maven said all of: %s\n' "$log" >&2
    return 1
  fi
  rm -f "$log"
  # Maven leaves a jar whose content would be the same as it is.
  touch "$jar"
}
