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

  @Override
  public Integer call() {
    List<UapiStruct> structs =
        UapiCatalog.structs().stream().filter(struct -> matches(struct.name())).toList();
    List<UapiConstant> constants =
        UapiCatalog.constants().stream().filter(constant -> matches(constant.name())).toList();
    List<UapiString> strings =
        UapiCatalog.strings().stream().filter(string -> matches(string.name())).toList();
    if (structs.isEmpty() && constants.isEmpty() && strings.isEmpty()) {
      throw new PreconditionException(
          "looked for UAPI names with \"" + name.orElse("") + "\" in them",
          "the bindings have none",
          "the name is misspelt, or this kernel's headers do not define it",
          "iolite uapi lists all names");
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
