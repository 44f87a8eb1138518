package dev.iolite.cli;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Turns the client's advice into commands of this program. */
final class Remedies {
  private static final String NEXT = "Next: ";

  private Remedies() {}

  /** Returns an exception's message, with a command added if there is one for its advice. */
  static String message(Throwable failure) {
    return in(String.valueOf(failure.getMessage()), failure);
  }

  /** Returns a text that contains an exception's message, with the command added. */
  static String in(String text, Throwable failure) {
    for (Throwable at = failure; at != null; at = at.getCause()) {
      Optional<Advice> advice = advice(at);
      if (advice.isPresent()) {
        return text.replace(NEXT + advice.get().next(), NEXT + next(advice.get()));
      }
    }
    return text;
  }

  private static Optional<Advice> advice(Throwable failure) {
    return switch (failure) {
      case KernelException kernel -> kernel.advice();
      case PreconditionException precondition -> Optional.of(precondition.advice());
      default -> Optional.empty();
    };
  }

  /** The next step, with the command for it. */
  static String next(Advice advice) {
    return switch (advice.remedy()) {
      case NONE -> advice.next();
      case GIVE_TO_VFIO, CONNECT_TSM, DISCONNECT_TSM -> commands(advice);
      default -> advice.next() + "; " + commands(advice);
    };
  }

  private static String commands(Advice advice) {
    List<String> devices =
        advice.devices().isEmpty() ? List.of("(with the device's address)") : advice.devices();
    return devices.stream()
        .map(device -> command(advice.remedy()).formatted(device))
        .distinct()
        .collect(Collectors.joining("; "));
  }

  private static String command(Remedy remedy) {
    return switch (remedy) {
      case NONE -> "";
      case CHECK_HOST -> "iolite doctor says what this host lacks";
      case OTHER_KERNEL -> "scripts/lab builds one to try with";
      case LIST_FUNCTIONS -> "iolite pci list shows the functions";
      case SHOW_FUNCTION -> "iolite pci show %s shows its driver and its IOMMU group";
      case SHOW_DEVICE -> "iolite vfio info %s shows its regions, interrupts, features and resets";
      case SHOW_IOVAS -> "iolite iommu info %s shows the allowed ranges and the alignment";
      case SHOW_KVM -> "iolite kvm info shows the types of VM, the capabilities and the limits";
      case LIST_TSMS -> "iolite tsm list shows the TSMs and their functions";
      case CONNECT_TSM -> "iolite tsm connect %s, then try again";
      case DISCONNECT_TSM -> "iolite tsm list; iolite tsm disconnect %s";
      case GIVE_TO_VFIO -> "iolite pci bind %s";
      case GIVE_BACK -> "iolite pci unbind %s gives it a driver again";
      case GIVE_BACK_AND_BIND -> "iolite pci unbind %1$s, then iolite pci bind %1$s";
    };
  }
}
