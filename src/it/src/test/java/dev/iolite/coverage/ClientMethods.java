package dev.iolite.coverage;

import dev.iolite.kernel.Fd;
import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeElement;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeDynamicInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.DirectMethodHandleDesc;
import java.lang.reflect.AccessFlag;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Which public methods of the client use what of the bindings: read from its classes, so that no
 * claim of a method can be false.
 */
final class ClientMethods {
  /** The rooms with a class for each kind of descriptor, and none that only explains or traces. */
  private static final List<String> ROOMS =
      List.of("dev/iolite/vfio/", "dev/iolite/iommufd/", "dev/iolite/kvm/", "dev/iolite/dmabuf/");

  private static final String BINDINGS = "dev/iolite/uapi/";

  /** By what is used: the methods that use it, and by methods, those that call them. */
  private final Map<String, Set<String>> users = new HashMap<>();

  /** By each public method or constant of a public class: how a reader calls it. */
  private final Map<String, String> shown = new HashMap<>();

  private final Set<String> publicClasses = new HashSet<>();

  static ClientMethods read() throws IOException, URISyntaxException {
    ClientMethods methods = new ClientMethods();
    Path path = Path.of(Fd.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    if (Files.isDirectory(path)) {
      methods.readAll(path);
    } else {
      try (FileSystem jar = FileSystems.newFileSystem(path)) {
        methods.readAll(jar.getPath("/"));
      }
    }
    return methods;
  }

  /**
   * The public methods nearest to a use of a constant, such as {@code Vcpu.run}.
   *
   * @param constant {@code CLASS.NAME}, the class being the last part of its name
   */
  List<String> using(String constant) {
    Set<String> seen = new HashSet<>();
    Deque<String> next = new ArrayDeque<>(users.getOrDefault(constant, Set.of()));
    Set<String> found = new TreeSet<>();
    while (!next.isEmpty()) {
      String user = next.pop();
      if (!seen.add(user)) {
        continue;
      }
      String name = shown.get(user);
      if (name != null) {
        found.add(name);
      } else {
        next.addAll(users.getOrDefault(user, Set.of()));
      }
    }
    return List.copyOf(found);
  }

  private void readAll(Path root) throws IOException {
    List<ClassModel> classes = new ArrayList<>();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        String name = root.relativize(file).toString();
        if (name.endsWith(".class") && ROOMS.stream().anyMatch(name::startsWith)) {
          classes.add(ClassFile.of().parse(Files.readAllBytes(file)));
        }
      }
    }
    classes.stream()
        .filter(model -> model.flags().has(AccessFlag.PUBLIC))
        .forEach(model -> publicClasses.add(model.thisClass().asInternalName()));
    classes.forEach(this::read);
  }

  private void read(ClassModel model) {
    String owner = model.thisClass().asInternalName();
    for (MethodModel method : model.methods()) {
      String name = method.methodName().stringValue();
      String id = owner + "." + name + method.methodType().stringValue();
      if (isPublic(owner) && method.flags().has(AccessFlag.PUBLIC)) {
        shown.put(id, simple(owner) + "." + name);
      }
      List<String> used = new ArrayList<>();
      for (CodeElement element :
          method.code().<Iterable<CodeElement>>map(c -> c).orElse(List.of())) {
        if (element instanceof FieldInstruction field && isConstantOf(model, method, field)) {
          // What stands between two constants is what the later one is made with.
          String constant = owner + "." + field.name().stringValue();
          if (isPublic(owner) && isPublic(model, field)) {
            shown.put(constant, simple(constant));
          }
          used.forEach(thing -> addUser(thing, constant));
          used.clear();
        } else {
          used.addAll(used(element));
        }
      }
      used.forEach(thing -> addUser(thing, id));
    }
  }

  private void addUser(String used, String user) {
    users.computeIfAbsent(used, _ -> new HashSet<>()).add(user);
  }

  /** A nested class is as public as the one around it. */
  private boolean isPublic(String owner) {
    return publicClasses.contains(owner.replaceAll("\\$.*", ""));
  }

  private static boolean isConstantOf(
      ClassModel model, MethodModel method, FieldInstruction field) {
    return method.methodName().equalsString("<clinit>")
        && field.opcode() == Opcode.PUTSTATIC
        && field.owner().asInternalName().equals(model.thisClass().asInternalName());
  }

  private static boolean isPublic(ClassModel model, FieldInstruction instruction) {
    return model.fields().stream()
        .filter(field -> field.fieldName().equals(instruction.name()))
        .anyMatch(field -> field.flags().has(AccessFlag.PUBLIC));
  }

  private static List<String> used(CodeElement element) {
    return switch (element) {
      case FieldInstruction field ->
          List.of(name(field.owner().asInternalName(), field.name().stringValue(), ""));
      case InvokeInstruction call ->
          List.of(
              name(
                  call.owner().asInternalName(),
                  call.name().stringValue(),
                  call.type().stringValue()));
      case InvokeDynamicInstruction lambda ->
          lambda.bootstrapArgs().stream()
              .filter(DirectMethodHandleDesc.class::isInstance)
              .map(DirectMethodHandleDesc.class::cast)
              .map(handle ->
                  handle.owner().descriptorString().replaceAll("^L|;$", "")
                      + "."
                      + handle.methodName()
                      + handle.lookupDescriptor())
              .toList();
      default -> List.of();
    };
  }

  /** What is of the bindings is known by its name alone. */
  private static String name(String owner, String name, String type) {
    return owner.startsWith(BINDINGS) ? simple(owner) + "." + name : owner + "." + name + type;
  }

  private static String simple(String owner) {
    return owner.substring(owner.lastIndexOf('/') + 1).replace('$', '.');
  }
}
