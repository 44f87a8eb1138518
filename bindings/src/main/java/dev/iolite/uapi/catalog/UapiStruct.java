package dev.iolite.uapi.catalog;

import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.PaddingLayout;
import java.lang.foreign.SequenceLayout;
import java.lang.foreign.StructLayout;
import java.lang.foreign.UnionLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * A struct or union of the kernel's headers.
 *
 * @param packageName the last part of the binding's package: {@code vfio}, {@code iommufd}, {@code
 *     kvm}, {@code dmabuf}, {@code libc} or {@code seccomp}
 * @param name the tag in C
 * @param union whether it is a union
 * @param size bytes; a flexible array at the end counts nothing
 * @param fields the fields in the order of declaration, each nested field after the one that
 *     contains it. Bit-fields are not included, because jextract leaves them out
 */
public record UapiStruct(
    String packageName, String name, boolean union, long size, List<UapiField> fields) {

  /** How jextract names a member that has no name in C. */
  private static final String ANONYMOUS = "$anon$";

  /** Copies the list of fields. */
  public UapiStruct {
    fields = List.copyOf(fields);
  }

  /** Reads the fields from the layout that jextract generated. */
  static UapiStruct of(String packageName, String name, GroupLayout layout) {
    List<UapiField> fields = new ArrayList<>();
    addFields(fields, "", 0, layout);
    return new UapiStruct(
        packageName, name, layout instanceof UnionLayout, layout.byteSize(), fields);
  }

  private static void addFields(
      List<UapiField> fields, String prefix, long start, GroupLayout group) {
    long offset = start;
    for (MemoryLayout member : group.memberLayouts()) {
      if (!(member instanceof PaddingLayout) && !isPlaceholder(member)) {
        addMember(fields, prefix, offset, member);
      }
      if (group instanceof StructLayout) {
        offset += member.byteSize();
      }
    }
  }

  /**
   * The headers need an empty struct next to a flexible array in a union: there is nothing to show.
   */
  private static boolean isPlaceholder(MemoryLayout member) {
    return member instanceof GroupLayout group && group.memberLayouts().isEmpty();
  }

  private static void addMember(
      List<UapiField> fields, String prefix, long offset, MemoryLayout member) {
    String memberName = member.name().orElseThrow();
    if (memberName.startsWith(ANONYMOUS) && member instanceof GroupLayout anonymous) {
      addFields(fields, prefix, offset, anonymous);
      return;
    }
    String path = prefix + memberName;
    fields.add(new UapiField(path, offset, member.byteSize()));
    MemoryLayout element = member;
    while (element instanceof SequenceLayout array) {
      path += "[0]";
      element = array.elementLayout();
    }
    if (element instanceof GroupLayout nested) {
      addFields(fields, path + ".", offset, nested);
    }
  }
}
