package dev.iolite.cli;

import dev.iolite.tdi.Event;
import dev.iolite.tdi.State;
import dev.iolite.tdi.Transition;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The states of an assignment as a graph: an edge for each pair of states where events lead from
 * one to the other if nothing fails. Events that do not change the state have no edge.
 */
final class StatesGraph {
  private static final int BOX_X = 400;
  private static final int BOX_WIDTH = 140;
  private static final int MARGIN = 40;
  private static final int PORT = 20;
  private static final int GAP = 24;
  private static final int LANE = 24;

  /** The distance of the first lane from the boxes, which leaves room for the edges' names. */
  private static final int NAMES = 90;

  private final List<Edge> edges = new ArrayList<>();

  /** An edge from one state to another. */
  private record Edge(State from, State to, String events) {
    boolean isForward() {
      return to.compareTo(from) > 0;
    }

    int span() {
      return Math.abs(to.compareTo(from));
    }
  }

  private StatesGraph() {
    for (State from : State.values()) {
      Map<State, List<String>> leads = new LinkedHashMap<>();
      for (Event event : Event.values()) {
        Transition.of(from, event)
            .flatMap(Transition::next)
            .filter(to -> to != from)
            .ifPresent(
                to -> leads.computeIfAbsent(to, _ -> new ArrayList<>()).add(event.toString()));
      }
      leads.forEach((to, events) -> edges.add(new Edge(from, to, String.join(", ", events))));
    }
  }

  /** Returns the graph in the language of Graphviz's dot. */
  static String dot() {
    return new StatesGraph()
        .edges.stream()
            .map(edge ->
                "  \"%s\" -> \"%s\" [label=\"%s\"];\n".formatted(edge.from, edge.to, edge.events))
            .collect(Collectors.joining("", "digraph states {\n  node [shape=box];\n", "}\n"));
  }

  /**
   * Returns the graph as SVG: the states one below the other, with forward edges on the right and
   * backward edges on the left. Each edge has its own port at both ends, and its own lane.
   */
  static String svg() {
    StatesGraph graph = new StatesGraph();
    State last = List.of(State.values()).getLast();
    int width = 2 * BOX_X + BOX_WIDTH;
    int height = graph.top(last) + graph.height(last) + MARGIN;
    String head =
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <svg xmlns="http://www.w3.org/2000/svg" width="%1$d" height="%2$d" viewBox="0 0 %1$d %2$d" \
        role="img" aria-labelledby="title" font-family="sans-serif" font-size="12" fill="#1b1f24">
        <title id="title">The states of an assignment</title>
        <defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" \
        orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#17456b"/></marker></defs>
        <rect width="%1$d" height="%2$d" fill="#ffffff"/>
        """
            .formatted(width, height);
    return Stream.of(
            Stream.of(head),
            graph.edges.stream().map(graph::drawn),
            Stream.of(State.values()).map(graph::drawn),
            Stream.of("</svg>\n"))
        .flatMap(part -> part)
        .collect(Collectors.joining());
  }

  /** The edges that begin or end at one side of a state, from top to bottom. */
  private List<Edge> at(State state, boolean forward) {
    return edges.stream()
        .filter(edge -> edge.isForward() == forward && (edge.from == state || edge.to == state))
        .toList();
  }

  private int height(State state) {
    return Math.max(2, Math.max(at(state, true).size(), at(state, false).size())) * PORT;
  }

  private int top(State state) {
    return Stream.of(State.values())
        .filter(above -> above.compareTo(state) < 0)
        .mapToInt(above -> height(above) + GAP)
        .reduce(MARGIN, Integer::sum);
  }

  private int port(State state, Edge edge) {
    return top(state) + PORT / 2 + at(state, edge.isForward()).indexOf(edge) * PORT;
  }

  /** The edge's distance from the boxes; shorter edges are nearer. */
  private int lane(Edge edge) {
    return NAMES
        + LANE
            * edges.stream()
                .filter(other -> other.isForward() == edge.isForward())
                .sorted(Comparator.comparingInt(Edge::span))
                .toList()
                .indexOf(edge);
  }

  private String drawn(Edge edge) {
    int side = edge.isForward() ? BOX_X + BOX_WIDTH : BOX_X;
    int away = edge.isForward() ? 1 : -1;
    int from = port(edge.from, edge);
    return """
    <path d="M%d %d H%d V%d H%d" fill="none" stroke="#17456b" marker-end="url(#tip)"/>
    <text x="%d" y="%d" text-anchor="%s">%s</text>
    """
        .formatted(
            side,
            from,
            side + away * lane(edge),
            port(edge.to, edge),
            side,
            side + away * 6,
            from - 4,
            edge.isForward() ? "start" : "end",
            edge.events);
  }

  private String drawn(State state) {
    return """
    <rect x="%d" y="%d" width="%d" height="%d" rx="6" fill="#dbe9f6" stroke="#17456b"/>
    <text x="%d" y="%d" text-anchor="middle" font-weight="bold">%s</text>
    """
        .formatted(
            BOX_X,
            top(state),
            BOX_WIDTH,
            height(state),
            BOX_X + BOX_WIDTH / 2,
            top(state) + height(state) / 2 + 4,
            state);
  }
}
