package dev.iolite.mock.iommufd;

import static java.lang.Long.compareUnsigned;

import org.jspecify.annotations.Nullable;

/**
 * The areas of an address space by IOVA, without overlaps: a balanced (AVL) tree that also knows
 * the longest hole in each subtree, so that free space is found without visiting every area.
 */
final class AreaTree {
  private @Nullable Area root;

  /** What {@link #findHole} has found, both ends included. */
  long holeFirst;

  long holeLast;

  boolean isEmpty() {
    return root == null;
  }

  /** The area that contains an IOVA; null: none. */
  @Nullable Area at(long iova) {
    Area area = root;
    while (area != null) {
      if (compareUnsigned(iova, area.first) < 0) {
        area = area.left;
      } else if (compareUnsigned(iova, area.last) > 0) {
        area = area.right;
      } else {
        return area;
      }
    }
    return null;
  }

  /** The lowest area that contains an IOVA of this range; null: none. */
  @Nullable Area firstIn(long from, long to) {
    Area found = null;
    Area area = root;
    while (area != null) {
      if (compareUnsigned(from, area.last) > 0) {
        area = area.right;
      } else {
        found = area;
        area = area.left;
      }
    }
    return found != null && compareUnsigned(found.first, to) <= 0 ? found : null;
  }

  /** The area after this one; null: none. */
  @Nullable Area after(Area area) {
    return area.last == -1 ? null : firstIn(area.last + 1, -1);
  }

  void insert(Area area) {
    root = insert(root, area);
  }

  private static Area insert(@Nullable Area node, Area area) {
    if (node == null) {
      area.left = null;
      area.right = null;
      update(area);
      return area;
    }
    if (compareUnsigned(area.first, node.first) < 0) {
      node.left = insert(node.left, area);
    } else {
      node.right = insert(node.right, area);
    }
    return balance(node);
  }

  void remove(Area area) {
    root = remove(root, area);
  }

  private static @Nullable Area remove(@Nullable Area node, Area area) {
    if (node == null) {
      return null;
    }
    if (node != area) {
      if (compareUnsigned(area.first, node.first) < 0) {
        node.left = remove(node.left, area);
      } else {
        node.right = remove(node.right, area);
      }
      return balance(node);
    }
    Area left = node.left;
    Area right = node.right;
    if (left == null || right == null) {
      return left == null ? right : left;
    }
    Area successor = right;
    while (successor.left != null) {
      successor = successor.left;
    }
    Area rest = remove(right, successor);
    successor.right = rest;
    successor.left = left;
    return balance(successor);
  }

  private static Area balance(Area node) {
    update(node);
    int slant = height(node.left) - height(node.right);
    if (slant > 1 && node.left != null) {
      if (height(node.left.left) < height(node.left.right)) {
        node.left = rotateLeft(node.left);
      }
      return rotateRight(node);
    }
    if (slant < -1 && node.right != null) {
      if (height(node.right.right) < height(node.right.left)) {
        node.right = rotateRight(node.right);
      }
      return rotateLeft(node);
    }
    return node;
  }

  private static Area rotateLeft(Area node) {
    Area up = node.right;
    if (up == null) {
      return node;
    }
    node.right = up.left;
    up.left = node;
    update(node);
    update(up);
    return up;
  }

  private static Area rotateRight(Area node) {
    Area up = node.left;
    if (up == null) {
      return node;
    }
    node.left = up.right;
    up.right = node;
    update(node);
    update(up);
    return up;
  }

  private static int height(@Nullable Area node) {
    return node == null ? 0 : node.height;
  }

  private static void update(Area node) {
    Area left = node.left;
    Area right = node.right;
    node.height = 1 + Math.max(height(left), height(right));
    long longest = 0;
    if (left == null) {
      node.lowest = node.first;
    } else {
      node.lowest = left.lowest;
      longest = longer(left.longestHole, node.first - left.highest - 1);
    }
    if (right == null) {
      node.highest = node.last;
    } else {
      node.highest = right.highest;
      longest = longer(longest, longer(right.longestHole, right.lowest - node.last - 1));
    }
    node.longestHole = longest;
  }

  private static long longer(long a, long b) {
    return compareUnsigned(a, b) < 0 ? b : a;
  }

  /**
   * Finds the lowest stretch of a range that is in no area and has at least this many bytes. The
   * result is as long as possible within the range.
   *
   * @param bytes not 0
   * @return whether there is one: {@link #holeFirst} to {@link #holeLast}
   */
  boolean findHole(long from, long to, long bytes) {
    if (root != null) {
      if (findHole(root, 0, from, bytes)) {
        holeLast = compareUnsigned(holeLast, to) < 0 ? holeLast : to;
        return compareUnsigned(holeFirst, to) <= 0
            && compareUnsigned(holeLast - holeFirst, bytes - 1) >= 0;
      }
      if (root.highest == -1) {
        return false;
      }
    }
    long end = root == null ? 0 : root.highest + 1;
    holeFirst = longer(end, from);
    holeLast = to;
    return compareUnsigned(holeFirst, to) <= 0
        && compareUnsigned(holeLast - holeFirst, bytes - 1) >= 0;
  }

  /** Searches a subtree and the space just before it, which is free from {@code free} on. */
  private boolean findHole(@Nullable Area node, long free, long from, long bytes) {
    if (node == null
        || compareUnsigned(node.highest, from) < 0
        || compareUnsigned(longer(node.longestHole, node.lowest - free), bytes) < 0) {
      return false;
    }
    if (findHole(node.left, free, from, bytes)) {
      return true;
    }
    long first = longer(node.left == null ? free : node.left.highest + 1, from);
    if (compareUnsigned(first, node.first) < 0 && compareUnsigned(node.first - first, bytes) >= 0) {
      holeFirst = first;
      holeLast = node.first - 1;
      return true;
    }
    return node.last != -1 && findHole(node.right, node.last + 1, from, bytes);
  }
}
