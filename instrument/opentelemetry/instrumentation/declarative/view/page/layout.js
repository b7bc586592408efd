// Places the nodes and the edges of a graph. Both layouts return {width, height, nodes, edges} with coordinates.

// Layers from left to right, or from top to bottom: who speaks first comes first. For graphs with few edges.
function layered(nodes, edges, isWide) {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: isWide ? "LR" : "TB", nodesep: 36, ranksep: 56, edgesep: 24, marginx: 16, marginy: 16 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) graph.setNode(`actor ${node.actor}`, { ...node });
  for (const edge of edges) graph.setEdge(`actor ${edge.from}`, `actor ${edge.to}`, { ...edge, labelpos: "c" }, "e");
  dagre.layout(graph);
  const { width, height } = graph.graph();
  return { width, height, nodes: graph.nodes().map((id) => graph.node(id)), edges: graph.edges().map((id) => graph.edge(id)) };
}

// Nodes on an ellipse with straight edges, for few nodes with many edges. Each label is at a place of its own.
function elliptic(nodes, edges, width) {
  const widest = Math.max(...nodes.map((node) => node.width));
  const height = Math.max(420, Math.min(width * 0.62, 90 * nodes.length));
  const [rx, ry] = [Math.max(180, (width - widest) / 2 - 12), height / 2 - 42];
  const placed = new Map();
  nodes.forEach((node, index) => {
    const angle = (2 * Math.PI * index) / nodes.length - Math.PI / 2;
    placed.set(node.actor, { ...node, x: rx + widest / 2 + 12 + rx * Math.cos(angle), y: height / 2 + ry * Math.sin(angle) });
  });
  const boxes = [...placed.values()].map((node) => ({ x: node.x, y: node.y, width: node.width + 8, height: node.height + 8 }));
  const lines = edges.map((edge) => {
    const [from, to] = [placed.get(edge.from), placed.get(edge.to)];
    return { ...edge, points: [border(from, to), border(to, from)] };
  });
  for (const line of lines.sort((a, b) => length(a.points) - length(b.points))) Object.assign(line, freePlace(line, boxes));
  return { width: 2 * rx + widest + 24, height, nodes: [...placed.values()], edges: lines };
}

function length([a, b]) {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

// Where the line from the middle of a node to another one leaves it.
function border(node, other) {
  const [dx, dy] = [other.x - node.x, other.y - node.y];
  const scale = Math.min(dx ? (node.width / 2 + 3) / Math.abs(dx) : Infinity, dy ? (node.height / 2 + 3) / Math.abs(dy) : Infinity);
  return { x: node.x + dx * scale, y: node.y + dy * scale };
}

// The place on a line, near its middle, where its label hides no other label and no node.
function freePlace({ points: [a, b], width, height }, boxes) {
  let best = null;
  for (let step = 0; step <= 16; step++) {
    const part = 0.5 + (step % 2 ? 1 : -1) * Math.ceil(step / 2) * 0.05;
    const box = { x: a.x + (b.x - a.x) * part, y: a.y + (b.y - a.y) * part, width, height };
    const hidden = boxes.filter((other) => Math.abs(other.x - box.x) * 2 < other.width + width && Math.abs(other.y - box.y) * 2 < other.height + height).length;
    if (!best || hidden < best.hidden) best = { ...box, hidden };
    if (hidden === 0) break;
  }
  boxes.push(best);
  return { x: best.x, y: best.y };
}
