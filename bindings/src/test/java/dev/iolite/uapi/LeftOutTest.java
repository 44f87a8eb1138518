package dev.iolite.uapi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.uapi.catalog.UapiCatalog;
import dev.iolite.uapi.catalog.UapiConstant;
import dev.iolite.uapi.catalog.UapiField;
import dev.iolite.uapi.catalog.UapiString;
import dev.iolite.uapi.catalog.UapiStruct;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * Whatever the selected headers define is in the bindings or, with the reason, in {@code
 * left-out.txt}: nothing goes missing in silence.
 */
class LeftOutTest {

  private static final Path LEFT_OUT =
      Path.of("bindings/src/test/resources/dev/iolite/uapi/left-out.txt");

  @Test
  void whatTheBindingsLackIsListedWithItsReason() throws Exception {
    UapiHeaders headers = UapiHeaders.orSkip();
    Map<String, String> listed = listed();
    List<String> missing = new ArrayList<>();
    int defined = 0;
    for (String umbrella : UapiHeaders.PACKAGES) {
      defined += collect(headers, umbrella, missing);
    }

    assertThat(missing)
        .as("what the headers define and the bindings lack; expected: what %s lists", LEFT_OUT)
        .containsExactlyInAnyOrderElementsOf(listed.keySet());
    assertThat(listed.values()).as("reasons in %s", LEFT_OUT).noneMatch(String::isBlank);
    System.out.printf(
        "Left out: %d of %d names and fields that the headers define, each listed with its"
            + " reason%n",
        missing.size(), defined);
    assertThat(defined).isGreaterThan(2900);
  }

  /** Adds to {@code missing} and returns how many names and fields were looked up. */
  private static int collect(UapiHeaders headers, String umbrellaName, List<String> missing)
      throws IOException, InterruptedException {
    String packageName = UapiHeaders.packageOf(umbrellaName);
    Set<String> constants =
        UapiCatalog.constants().stream()
            .filter(constant -> constant.packageName().equals(packageName))
            .map(UapiConstant::name)
            .collect(Collectors.toSet());
    UapiCatalog.strings().stream()
        .filter(string -> string.packageName().equals(packageName))
        .map(UapiString::name)
        .forEach(constants::add);
    Map<String, Set<String>> structs =
        UapiCatalog.structs().stream()
            .filter(struct -> struct.packageName().equals(packageName))
            .collect(Collectors.toMap(UapiStruct::name, LeftOutTest::fieldNames));
    Path umbrella = UapiHeaders.UMBRELLAS.resolve(umbrellaName + ".h");
    String preprocessed = headers.gcc("-E", "-dD", umbrella.toString());
    int defined = 0;
    for (Map.Entry<String, String> selection : selections(umbrellaName).entrySet()) {
      HeaderReader.Definitions found = HeaderReader.read(headers, selection.getKey(), preprocessed);
      Report report = new Report(packageName, selection.getValue(), missing);
      defined += report.lacking("function-like-macro", found.functionMacros(), Set.of());
      defined += report.lacking("macro-without-value", found.emptyMacros(), Set.of());
      defined += report.lacking("macro", found.macros(), constants);
      defined += report.lacking("enum-constant", found.enumConstants(), constants);
      defined += report.lacking("typedef", found.typedefs(), Set.of());
      defined += report.lacking("struct", found.structs().keySet(), structs.keySet());
      defined += report.fields(found.structs(), structs);
    }
    return defined;
  }

  /** Compares names of one header, as far as its selection wants them. */
  private record Report(String packageName, String selection, List<String> missing) {

    int lacking(String kind, Collection<String> names, Set<String> there) {
      List<String> wanted = names.stream().filter(name -> name.matches(selection)).toList();
      wanted.stream()
          .filter(name -> !there.contains(name))
          .forEach(name -> missing.add(entry(packageName, kind, name)));
      return wanted.size();
    }

    int fields(Map<String, List<HeaderReader.Member>> structs, Map<String, Set<String>> there) {
      int count = 0;
      for (String struct : structs.keySet()) {
        if (there.containsKey(struct)) {
          for (HeaderReader.Member member : structs.get(struct)) {
            count++;
            if (!there.get(struct).contains(member.path())) {
              String kind = member.bitField() ? "bit-field" : "field";
              missing.add(entry(packageName, kind, struct + "." + member.path()));
            }
          }
        }
      }
      return count;
    }
  }

  private static Set<String> fieldNames(UapiStruct struct) {
    return struct.fields().stream().map(UapiField::name).collect(Collectors.toSet());
  }

  private static String entry(String packageName, String kind, String name) {
    return packageName + " " + kind + " " + name;
  }

  /** Header to the pattern of the names that are wanted of it. */
  private static Map<String, String> selections(String umbrellaName) throws IOException {
    Map<String, String> selections = new LinkedHashMap<>();
    for (String line : lines(UapiHeaders.UMBRELLAS.resolve(umbrellaName + ".select"))) {
      String[] words = line.split(" +", 2);
      selections.put(words[0], words[1]);
    }
    return selections;
  }

  /** Entry to reason. */
  private static Map<String, String> listed() throws IOException {
    Map<String, String> listed = new TreeMap<>();
    for (String line : lines(LEFT_OUT)) {
      String[] words = line.split(" +", 4);
      assertThat(words).as("package, kind, name, reason: %s", line).hasSize(4);
      listed.put(entry(words[0], words[1], words[2]), words[3]);
    }
    return listed;
  }

  private static List<String> lines(Path file) throws IOException {
    return Files.readAllLines(file).stream()
        .filter(line -> !line.isBlank() && !line.startsWith("#"))
        .toList();
  }
}
