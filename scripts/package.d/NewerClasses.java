import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFile.ClassHierarchyResolverOption;
import java.lang.classfile.ClassFile.StackMapsOption;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.constant.ClassDesc;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Copies a jar, with its classes of Java 6 or older in the format of Java 8: the JVM takes no older
 * ones into an archive of classes. Their code stays as it is, and gets the stack maps that the
 * newer format has to have. scripts/package runs it.
 */
final class NewerClasses {
  private final JarFile from;
  private final ClassFile format;

  private NewerClasses(JarFile from) {
    this.from = from;
    format =
        ClassFile.of(
            StackMapsOption.GENERATE_STACK_MAPS,
            ClassHierarchyResolverOption.of(
                ClassHierarchyResolver.ofResourceParsing(this::source)
                    .orElse(ClassHierarchyResolver.defaultResolver())));
  }

  /** Copies the jar that the first argument names to the file that the second one names. */
  public static void main(String[] arguments) throws IOException {
    try (JarFile from = new JarFile(arguments[0]);
        OutputStream to = Files.newOutputStream(Path.of(arguments[1]))) {
      new NewerClasses(from).copy(to);
    }
  }

  private void copy(OutputStream out) throws IOException {
    try (ZipOutputStream to = new ZipOutputStream(out)) {
      for (JarEntry entry : Collections.list(from.entries())) {
        ZipEntry copy = new ZipEntry(entry.getName());
        copy.setTimeLocal(entry.getTimeLocal());
        to.putNextEntry(copy);
        try (InputStream in = from.getInputStream(entry)) {
          byte[] bytes = in.readAllBytes();
          to.write(entry.getName().endsWith(".class") ? newer(bytes) : bytes);
        }
        to.closeEntry();
      }
    }
  }

  private byte[] newer(byte[] bytes) {
    ClassModel old = format.parse(bytes);
    if (old.majorVersion() > ClassFile.JAVA_6_VERSION) {
      return bytes;
    }
    ClassTransform version =
        (builder, element) -> {
          if (element instanceof ClassFileVersion) {
            builder.withVersion(ClassFile.JAVA_8_VERSION, 0);
          } else {
            builder.with(element);
          }
        };
    // Code that nothing goes through is copied as it is, without stack maps.
    ClassTransform code =
        ClassTransform.transformingMethodBodies((builder, element) -> builder.with(element));
    byte[] made = format.transformClass(old, code.andThen(version));
    format
        .verify(made)
        .forEach(error -> {
          throw error;
        });
    return made;
  }

  private InputStream source(ClassDesc type) {
    String name = type.descriptorString();
    try {
      ZipEntry entry = from.getEntry(name.substring(1, name.length() - 1) + ".class");
      return entry == null ? null : from.getInputStream(entry);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
