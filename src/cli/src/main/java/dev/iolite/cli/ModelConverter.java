package dev.iolite.cli;

import picocli.CommandLine.ITypeConverter;

/** Parses the name of a model, where nothing but a model can be given. */
final class ModelConverter implements ITypeConverter<KernelChoice> {
  @Override
  public KernelChoice convert(String text) {
    return KernelChoice.parseModel(text);
  }
}
