package dev.iolite.uapi;

import dev.iolite.uapi.catalog.UapiConstant;
import dev.iolite.uapi.catalog.UapiField;
import dev.iolite.uapi.catalog.UapiString;
import dev.iolite.uapi.catalog.UapiStruct;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A C program that compares what the bindings say with what gcc makes of the kernel's headers.
 *
 * <p>A struct, field or constant that the headers do not have does not compile, which is a
 * difference too.
 */
final class LayoutProof {

  private final UapiHeaders headers;
  private final Path directory;

  LayoutProof(UapiHeaders headers, Path directory) {
    this.headers = headers;
    this.directory = directory;
  }

  /** The differences of one package, one a line, and as the last line how much was compared. */
  List<String> compare(
      String umbrellaName,
      List<UapiStruct> structs,
      List<UapiConstant> constants,
      List<UapiString> strings)
      throws IOException, InterruptedException {
    List<String> rows = new ArrayList<>();
    structs.forEach(struct -> addRows(rows, struct));
    constants.forEach(
        constant -> rows.add(row(constant.name(), constant.name(), constant.value())));
    strings.forEach(string -> rows.add(row(string)));
    Path source = directory.resolve(umbrellaName + ".c");
    Path program = directory.resolve(umbrellaName);
    Path umbrella = UapiHeaders.UMBRELLAS.resolve(umbrellaName + ".h").toAbsolutePath();
    Files.writeString(source, "#include \"" + umbrella + "\"\n" + main(rows));
    headers.gcc("-w", "-o", program.toString(), source.toString());
    return UapiHeaders.run(List.of(program.toString())).lines().toList();
  }

  private static void addRows(List<String> rows, UapiStruct struct) {
    String type = (struct.union() ? "union " : "struct ") + struct.name();
    rows.add(row("sizeof " + type, "sizeof(" + type + ")", struct.size()));
    for (UapiField field : struct.fields()) {
      String what = type + "." + field.name();
      String offset = "__builtin_offsetof(" + type + ", " + field.name() + ")";
      rows.add(row("offset of " + what, offset, field.offset()));
      rows.add(row("size of " + what, size(type, field), field.size()));
    }
  }

  private static String size(String type, UapiField field) {
    String member = "((" + type + " *)0)->" + field.name();
    // A flexible array has no sizeof of its own, but one behind a char adds nothing to it.
    return field.size() > 0
        ? "sizeof(" + member + ")"
        : "sizeof(struct { char c; __typeof__(" + member + ") m; } __attribute__((packed))) - 1";
  }

  /** A text has no number to compare: only whether it is the same one counts. */
  private static String row(UapiString string) {
    String differs = "__builtin_strcmp(%s, \"%s\") != 0".formatted(string.name(), string.value());
    return row(string.name() + " differs from " + string.value(), differs, 0);
  }

  private static String row(String what, String kernel, long binding) {
    // C has no literal for the lowest long long.
    return "{\"%s\", (long long)(%s), (long long)0x%xull},\n".formatted(what, kernel, binding);
  }

  private static String main(List<String> rows) {
    return """
    int printf(const char *, ...);
    struct row { const char *what; long long kernel, binding; };
    static const struct row rows[] = {
    %s};
    int main(void) {
      for (unsigned long i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].kernel != rows[i].binding)
          printf("%%s: kernel %%lld, binding %%lld\\n",
                 rows[i].what, rows[i].kernel, rows[i].binding);
      printf("%%lu compared\\n", sizeof(rows) / sizeof(rows[0]));
    }
    """
        .formatted(String.join("", rows));
  }
}
