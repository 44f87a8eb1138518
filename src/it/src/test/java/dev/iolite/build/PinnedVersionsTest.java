package dev.iolite.build;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every plugin and dependency of the build has one version, which is written down. */
class PinnedVersionsTest {
  /** What Maven runs by itself, in a version that differs between Mavens if nobody names one. */
  private static final List<String> OF_LIFECYCLE =
      List.of("resources", "compiler", "surefire", "jar");

  private static final List<String> OF_OTHER_COMMANDS = List.of("clean", "install", "deploy");

  private static List<Path> poms() throws IOException {
    try (Stream<Path> files = Files.walk(Path.of(""), 3)) {
      return files
          .filter(file -> file.endsWith("pom.xml") && !file.toString().contains("target/"))
          .sorted()
          .toList();
    }
  }

  private static List<String> problems(List<Path> poms, PomFile root) {
    List<String> problems = new ArrayList<>();
    for (Path pom : poms) {
      new PomFile(pom).unpinned(root).forEach(problem -> problems.add(pom + ": " + problem));
    }
    return problems;
  }

  @Test
  void eachPluginAndDependencyIsPinned() throws IOException {
    List<Path> poms = poms();
    assertThat(poms).contains(Path.of("pom.xml"), Path.of("src", "it", "pom.xml"));
    assertThat(problems(poms, new PomFile(Path.of("pom.xml")))).isEmpty();
  }

  /** A new version needs its checksums: scripts/artifacts lock. */
  @Test
  void itsFilesAreLocked() throws IOException {
    List<String> locked =
        Files.readAllLines(Path.of(".mvn", "checksums", "checksums.sha256")).stream()
            .map(line -> line.substring(line.indexOf("  ") + 2))
            .toList();
    PomFile root = new PomFile(Path.of("pom.xml"));
    for (Path pom : poms()) {
      assertThat(new PomFile(pom).fetched(root).filter(file -> !locked.contains(file)))
          .as("what %s names and the checksums lack", pom)
          .isEmpty();
    }
  }

  @Test
  void soIsWhatMavenRunsByItself() {
    List<String> pinned = new PomFile(Path.of("pom.xml")).pinnedPlugins();
    Stream.concat(OF_LIFECYCLE.stream(), OF_OTHER_COMMANDS.stream())
        .forEach(name ->
            assertThat(pinned).contains("org.apache.maven.plugins:maven-" + name + "-plugin"));
    assertThat(new PomFile(Path.of("examples", "pom.xml")).pinnedPlugins())
        .containsAll(
            OF_LIFECYCLE.stream()
                .map(name -> "org.apache.maven.plugins:maven-" + name + "-plugin")
                .toList());
  }

  @Test
  void whatIsNotPinnedIsNamed(@TempDir Path directory) throws IOException {
    Path pom = directory.resolve("pom.xml");
    Files.writeString(
        pom,
        """
        <project>
          <properties><newest>LATEST</newest></properties>
          <dependencies>
            <dependency><groupId>a</groupId><artifactId>none</artifactId></dependency>
            <dependency>
              <groupId>a</groupId><artifactId>newest</artifactId><version>${newest}</version>
            </dependency>
            <dependency>
              <groupId>a</groupId><artifactId>range</artifactId><version>[1,)</version>
            </dependency>
            <dependency>
              <groupId>a</groupId><artifactId>snapshot</artifactId><version>1-SNAPSHOT</version>
            </dependency>
            <dependency>
              <groupId>a</groupId><artifactId>strange</artifactId><version>${unknown}</version>
            </dependency>
            <dependency>
              <groupId>a</groupId><artifactId>good</artifactId><version>1.0</version>
            </dependency>
          </dependencies>
          <profiles><profile><build><plugins>
            <plugin><artifactId>maven-fly-plugin</artifactId></plugin>
          </plugins></build></profile></profiles>
        </project>
        """);
    assertThat(problems(List.of(pom), new PomFile(pom)))
        .containsExactly(
            pom + ": dependency a:none has no version",
            pom + ": dependency a:newest has the version LATEST, which is not one version",
            pom + ": dependency a:range has the version [1,), which is not one version",
            pom + ": dependency a:snapshot has the version 1-SNAPSHOT, which is not one version",
            pom + ": dependency a:strange has the version ${unknown}, which is not one version",
            pom + ": plugin org.apache.maven.plugins:maven-fly-plugin has no version");
  }
}
