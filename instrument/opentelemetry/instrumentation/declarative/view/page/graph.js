// Who talks to whom: a graph of the agents and services, laid out by dagre.

// A network with more is shown as a matrix: the lines of a graph would cross too often to be followed.
const MAX_NODES = 20;
const MAX_EDGES = 30;
// With more edges for each node than this, layers have too many lines beside each other.
const DENSE = 1.4;
const MAX_DENSE_EDGES = 16;
// A graph that is wider than its place is scaled down to this, and scrolled beyond.
const SMALLEST_SCALE = 0.7;
const NODE_FONT = "600 14px system-ui, sans-serif";
const LABEL_FONT = "12px system-ui, sans-serif";
const VERBS = { message: "message", ask: "request", answer: "answer", call: "call" };

class Graph {
  // `pick(actor)` is called when a node is activated, `pickPair(from, to)` for an edge.
  constructor(element, model, { pick, pickPair }) {
    Object.assign(this, { element, model, pick, pickPair });
  }

  // Returns what is shown: none, graph or matrix.
  show(selected) {
    const edges = this.edges(selected);
    const pairs = this.pairs(edges);
    const volumes = new Map();
    for (const { from, to, total } of edges) for (const actor of [from, to]) volumes.set(actor, (volumes.get(actor) || 0) + total);
    if (volumes.size === 0) {
      this.element.replaceChildren();
      return "none";
    }
    const actors = [...volumes.keys()]; // who speaks first comes first
    const isDense = actors.length > 3 && pairs.length / actors.length > DENSE;
    if (actors.length <= MAX_NODES && pairs.length <= (isDense ? MAX_DENSE_EDGES : MAX_EDGES)) {
      this.element.replaceChildren(this.draw(this.layout(actors, pairs, selected, isDense)));
      return "graph";
    }
    actors.sort((a, b) => volumes.get(b) - volumes.get(a));
    const rest = actors.length - MAX_MATRIX;
    const note = rest > 0 ? h("p", { class: "dim" }, `${rest.toLocaleString("en")} more with fewer messages are not shown.`) : "";
    this.element.replaceChildren(matrix(this.model, actors, edges, this), note);
    return "matrix";
  }

  edges(selected) {
    const result = new Map();
    for (const [kind, span, , from, recipients] of this.model.messages) {
      if (!selected[span]) continue;
      for (const to of recipients) {
        const key = `${from} ${to}`;
        if (!result.has(key)) result.set(key, { from, to, counts: {}, errors: 0, total: 0 });
        const edge = result.get(key);
        edge.counts[kind] = (edge.counts[kind] || 0) + 1;
        edge.total += 1;
        if (this.failed(kind, span)) edge.errors += 1;
      }
    }
    return [...result.values()];
  }

  // The edges between two actors as one, which has arrows at both ends if both speak.
  pairs(edges) {
    const result = new Map();
    for (const edge of edges) {
      const back = result.get(`${edge.to} ${edge.from}`);
      if (!back || edge.from === edge.to) {
        result.set(`${edge.from} ${edge.to}`, { ...edge, counts: { ...edge.counts }, directions: [edge] });
        continue;
      }
      for (const [kind, count] of Object.entries(edge.counts)) back.counts[kind] = (back.counts[kind] || 0) + count;
      back.errors += edge.errors;
      back.total += edge.total;
      back.directions.push(edge);
    }
    return [...result.values()];
  }

  // Whether a message fails: itself, or the turn that answers it.
  failed(kind, span) {
    if (kind === "answer") return false;
    if (this.model.isError(span)) return true;
    return (this.model.children.get(span) || []).some((child) => this.model.role(child) === "turn" && this.model.isError(child));
  }

  layout(actors, pairs, selected, isDense) {
    const nodes = actors.map((actor) => {
      const name = fitted(oneLine(this.model.actorName(actor), 80), 200, NODE_FONT);
      const facts = this.facts(actor, selected);
      const width = Math.max(measure(name, NODE_FONT), measure(facts.text, LABEL_FONT)) + 32;
      return { actor, name, facts, width, height: facts.text ? 52 : 36 };
    });
    const edges = pairs.map((pair) => {
      const label = this.countsText(pair.counts);
      const failures = pair.errors ? `${pair.errors} failed` : "";
      return { ...pair, label, failures, width: measure(label + (failures ? ` · ${failures}` : ""), LABEL_FONT) + 12, height: 20 };
    });
    const width = this.element.clientWidth;
    return isDense ? elliptic(nodes, edges.filter(({ from, to }) => from !== to), Math.max(560, width - 20)) : layered(nodes, edges, width > 700);
  }

  countsText(counts) {
    return Object.entries(counts).map(([kind, count]) => formatCount(count, VERBS[kind])).join(", ");
  }

  facts(actor, selected) {
    const counts = { turn: 0, model: 0, tool: 0, tokens: 0, errors: 0, open: 0 };
    this.model.spans.forEach((span, number) => {
      if (!selected[number] || span[ACTOR] !== actor) return;
      const role = this.model.role(number);
      if (role in counts) counts[role] += 1;
      if (role === "model") counts.tokens += span[TOKENS];
      if (this.model.isOpen(number) && !LASTING.has(role)) counts.open += 1;
      if (span[STATUS] === ERROR && (role === "turn" || !role)) counts.errors += 1;
    });
    const parts = [];
    if (counts.turn) parts.push(formatCount(counts.turn, "turn"));
    if (counts.tool) parts.push(formatCount(counts.tool, "tool call"));
    if (counts.tokens) parts.push(`${counts.tokens.toLocaleString("en")} tokens`);
    if (counts.open) parts.push(`${counts.open.toLocaleString("en")} without an end`);
    return { text: parts.join(" · "), className: counts.errors > 0 ? "failed" : counts.open > 0 ? "open" : "" };
  }

  draw(graph) {
    const { width, height } = graph;
    const scale = Math.max(SMALLEST_SCALE, Math.min(1, (this.element.clientWidth - 2) / width));
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width: width * scale, height: height * scale, class: "graph", role: "group", "aria-label": "Who talks to whom" },
      svg("defs", {}, arrowhead("arrow", "arrow"), arrowhead("arrow-failed", "arrow failed")),
      graph.edges.map((edge) => this.line(edge)),
      graph.nodes.map((node) => this.node(node)),
      graph.edges.map((edge) => this.label(edge)));
    return h("div", { class: "graph-frame" }, picture);
  }

  line(edge) {
    const failed = edge.errors > 0 ? " failed" : "";
    const marker = `url(#arrow${failed ? "-failed" : ""})`;
    const path = `M${edge.points[0].x},${edge.points[0].y}` + curve(edge.points);
    const ends = { "marker-end": marker, "marker-start": edge.directions.length > 1 ? marker : null };
    return svg("path", { d: path, class: `line${failed}`, ...ends, style: { "stroke-width": 1.4 + Math.min(3, Math.log10(edge.total)) } });
  }

  // The label of an edge, which is a button. Labels lie over all lines.
  label(edge) {
    const name = (actor) => oneLine(this.model.actorName(actor), 80);
    const title = edge.directions.map(({ from, to, counts, errors }) => `${name(from)} → ${name(to)}: ${this.countsText(counts)}${errors ? `, ${errors} failed` : ""}`).join("\n");
    const act = () => this.pickPair(edge.from, edge.to);
    return svg("g", { class: `edge${edge.errors > 0 ? " failed" : ""}`, tabindex: 0, role: "button", "aria-label": title, on: activation(act) },
      svg("rect", { class: "label-back", x: edge.x - edge.width / 2, y: edge.y - 10, width: edge.width, height: 20, rx: 10 }),
      svg("text", { class: "label", x: edge.x, y: edge.y + 4 }, edge.label, edge.failures && svg("tspan", { class: "bad" }, ` · ${edge.failures}`)),
      svg("title", {}, title));
  }

  node({ actor, name, facts, x, y, width, height }) {
    const kind = this.model.actors[actor][1] ? "agent" : "service";
    return svg("g", { class: `node ${kind} ${facts.className}`, tabindex: 0, role: "button", "aria-label": `${name}, ${facts.text}`, on: activation(() => this.pick(actor)) },
      svg("rect", { x: x - width / 2, y: y - height / 2, width, height, rx: kind === "agent" ? 12 : 3 }),
      svg("text", { class: "name", x, y: facts.text ? y - 3 : y + 5 }, name),
      facts.text && svg("text", { class: "facts", x, y: y + 15 }, facts.text),
      svg("title", {}, visible(this.model.actorName(actor).slice(0, 500))));
  }
}

function activation(act) {
  return { click: act, keydown: (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    act();
  } };
}

function arrowhead(id, className) {
  return svg("marker", { id, viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 9, markerHeight: 9, markerUnits: "userSpaceOnUse", orient: "auto-start-reverse" },
    svg("path", { d: "M0,1 L10,5 L0,9 z", class: className }));
}

// A smooth curve through points.
function curve(points) {
  let path = "";
  for (let i = 0; i < points.length - 1; i++) {
    const [before, from, to, after] = [points[i - 1] || points[i], points[i], points[i + 1], points[i + 2] || points[i + 1]];
    path += ` C${from.x + (to.x - before.x) / 6},${from.y + (to.y - before.y) / 6} ${to.x - (after.x - from.x) / 6},${to.y - (after.y - from.y) / 6} ${to.x},${to.y}`;
  }
  return path;
}
