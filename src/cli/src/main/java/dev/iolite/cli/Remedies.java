package dev.iolite.cli;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Turns the client's advice into commands of this program. */
public final class Remedies {
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
  public static String next(Advice advice) {
    return switch (advice.remedy()) {
      case NONE -> advice.next();
      case GIVE_TOKEN, NAME_TSM, GIVE_CHAIN, USE_MODEL, OTHER_RUN_DIRECTORY ->
          advice.next() + command(advice.remedy());
      case GIVE_TO_VFIO,
          CONNECT_TSM,
          DISCONNECT_TSM,
          GIVE_NO_TOKEN,
          GIVE_SPARE_TO_VFIO,
          RUN_GUEST,
          SERVE_MODEL,
          PROTECT_GUEST,
          SHOW_ASSIGNMENT,
          END_ASSIGNMENT,
          RECOVER ->
          commands(advice);
      case CHOOSE_PROFILE, RECOVER_ELSEWHERE ->
          command(advice.remedy())
              .formatted(advice.subjects().getFirst(), advice.subjects().getLast());
      default -> advice.next() + "; " + commands(advice);
    };
  }

  private static String commands(Advice advice) {
    List<String> subjects =
        advice.subjects().isEmpty() ? List.of("(with the device's address)") : advice.subjects();
    return subjects.stream()
        .map(subject -> command(advice.remedy()).formatted(subject))
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
      case GIVE_TOKEN -> ", with --vf-token";
      case GIVE_NO_TOKEN -> "leave --vf-token out";
      case NAME_TSM -> " with --tsm";
      case GIVE_SPARE_TO_VFIO ->
          "iolite pci bind, with the address of a device that the host can spare";
      case TRACE_CHECKS -> "iolite --trace doctor shows the calls";
      case RUN_GUEST -> "iolite kvm hello";
      case USE_LAB -> "or use the lab: scripts/lab run passthrough";
      case USE_MODEL -> ": --kernel mock:tdx";
      case SERVE_MODEL -> "iolite mock serve %s mock:tdx";
      case PROTECT_GUEST ->
          "--vm tdx, --vm snp or --vm sw-protected, whichever iolite kvm info shows";
      case CHOOSE_PROFILE -> "use --profile %s, or boot a kernel that has %s";
      case GIVE_CHAIN -> " with --chain";
      case SHOW_ASSIGNMENT -> "iolite tdi show %s";
      case END_ASSIGNMENT -> "iolite tdi unbind %s, or end that process";
      case OTHER_RUN_DIRECTORY -> ": --run-dir DIR";
      case RECOVER, RECOVER_BOUND -> "iolite tdi recover %s";
      case RECOVER_ELSEWHERE -> "iolite --kernel %s tdi recover %s";
    };
  }
}
