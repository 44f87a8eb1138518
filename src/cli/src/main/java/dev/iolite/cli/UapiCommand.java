package dev.iolite.cli;

import dev.iolite.kernel.PreconditionException;
import dev.iolite.uapi.catalog.UapiCatalog;
import dev.iolite.uapi.catalog.UapiConstant;
import dev.iolite.uapi.catalog.UapiField;
import dev.iolite.uapi.catalog.UapiString;
import dev.iolite.uapi.catalog.UapiStruct;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code iolite uapi}: what the kernel's headers define, according to the bindings. */
@Command(
    name = "uapi",
    description = {
      "Shows structs and constants of the kernel's UAPI, as the bindings have them.",
      "Without a name it lists all; with one, those whose name contains it; a struct named in full"
          + " is shown field by field.",
      "The package vfio is dev.iolite.uapi.vfio in Java; so are iommufd, kvm, dmabuf and libc."
    })
final class UapiCommand extends IoliteCommand implements Callable<Integer> {
  @Parameters(arity = "0..1", paramLabel = "NAME", description = "part of a name, in any case")
  private Optional<String> name = Optional.empty();

  @Option(
      names = "--coverage",
      description =
          "show instead which calls have a method in the library, and where the contract suite"
              + " makes them")
  private boolean coverage;

  @Override
  public Integer call() {
    return coverage ? coverage() : names();
  }

  private int coverage() {
    List<Coverage.Row> rows =
        Coverage.read().rows().stream()
            .filter(row -> matches(row.call()) || matches(row.method().orElse("")))
            .toList();
    if (rows.isEmpty()) {
      throw nothing("calls or methods", "there are none");
    }
    if (output().isJson()) {
      output().json(Json.object("calls", rows.stream().map(UapiCommand::json).toList()));
      return ExitCode.OK;
    }
    output()
        .table(
            List.of("DESCRIPTOR", "CALL", "METHOD", "MODEL", "LAB", "HOST KVM", "NOTE"),
            rows.stream().map(Coverage.Row::cells).toList());
    output().line("");
    output()
        .line(
            "%d calls and parts of calls: %d with a method; made successfully by the contract suite: %d on"
                    .formatted(
                        rows.size(),
                        rows.stream().filter(row -> row.method().isPresent()).count(),
                        made(rows, Coverage.Backend.MODEL))
                + " the model, %d in the lab, %d on a host's KVM"
                    .formatted(
                        made(rows, Coverage.Backend.LAB), made(rows, Coverage.Backend.HOST)));
    return ExitCode.OK;
  }

  private static long made(List<Coverage.Row> rows, Coverage.Backend backend) {
    return rows.stream().filter(row -> row.on(backend) == Coverage.Ended.YES).count();
  }

  private PreconditionException nothing(String what, String none) {
    return new PreconditionException(
        "looked for UAPI " + what + " with \"" + name.orElse("") + "\" in them",
        none,
        "the name is misspelt, or this kernel's headers do not define it",
        coverage ? "iolite uapi --coverage lists all" : "iolite uapi lists all names");
  }

  private static Map<String, Object> json(Coverage.Row row) {
    return Json.object(
        "descriptor", row.descriptor(),
        "call", row.call(),
        "method", row.method(),
        "model", row.on(Coverage.Backend.MODEL).words(),
        "lab", row.on(Coverage.Backend.LAB).words(),
        "hostKvm", row.on(Coverage.Backend.HOST).words(),
        "note", row.note());
  }

  private int names() {
    List<UapiStruct> structs =
        UapiCatalog.structs().stream().filter(struct -> matches(struct.name())).toList();
    List<UapiConstant> constants =
        UapiCatalog.constants().stream().filter(constant -> matches(constant.name())).toList();
    List<UapiString> strings =
        UapiCatalog.strings().stream().filter(string -> matches(string.name())).toList();
    if (structs.isEmpty() && constants.isEmpty() && strings.isEmpty()) {
      throw nothing("names", "the bindings have none");
    }
    Output output = output();
    if (output.isJson()) {
      output.json(
          Json.object(
              "structs", structs.stream().map(UapiCommand::json).toList(),
              "constants",
                  Stream.concat(
                          constants.stream().map(UapiCommand::json),
                          strings.stream().map(UapiCommand::json))
                      .toList()));
      return ExitCode.OK;
    }
    if (!structs.isEmpty()) {
      output.table(
          List.of("STRUCT", "PACKAGE", "BYTES", "FIELDS"),
          structs.stream()
              .map(s -> List.of(s.name(), s.packageName(), "" + s.size(), "" + s.fields().size()))
              .toList());
    }
    structs.stream().filter(s -> name.orElse("").equalsIgnoreCase(s.name())).forEach(this::fields);
    if (!constants.isEmpty()) {
      output.line("");
      output.table(
          List.of("CONSTANT", "PACKAGE", "VALUE", "HEX"),
          constants.stream()
              .map(c ->
                  List.of(
                      c.name(),
                      c.packageName(),
                      "" + c.value(),
                      "0x" + Long.toHexString(c.value())))
              .toList());
    }
    if (!strings.isEmpty()) {
      output.line("");
      output.table(
          List.of("TEXT CONSTANT", "PACKAGE", "VALUE"),
          strings.stream()
              .map(s -> List.of(s.name(), s.packageName(), "\"" + s.value() + "\""))
              .toList());
    }
    return ExitCode.OK;
  }

  private void fields(UapiStruct struct) {
    output().line("");
    output()
        .table(
            List.of("OFFSET", "BYTES", "FIELD OF " + struct.name()),
            struct.fields().stream()
                .map(f -> List.of("" + f.offset(), "" + f.size(), f.name()))
                .toList());
  }

  private boolean matches(String candidate) {
    return name.map(
            part -> candidate.toLowerCase(Locale.ROOT).contains(part.toLowerCase(Locale.ROOT)))
        .orElse(true);
  }

  private static Map<String, Object> json(UapiStruct struct) {
    return Json.object(
        "name", struct.name(),
        "package", struct.packageName(),
        "size", struct.size(),
        "fields", struct.fields().stream().map(UapiCommand::json).toList());
  }

  private static Map<String, Object> json(UapiField field) {
    return Json.object("name", field.name(), "offset", field.offset(), "size", field.size());
  }

  private static Map<String, Object> json(UapiConstant constant) {
    return Json.object(
        "name", constant.name(), "package", constant.packageName(), "value", constant.value());
  }

  private static Map<String, Object> json(UapiString string) {
    return Json.object(
        "name", string.name(), "package", string.packageName(), "value", string.value());
  }
}
