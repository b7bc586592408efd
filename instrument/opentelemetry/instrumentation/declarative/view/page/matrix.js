// Who talks to whom in a large network: a row for each sender, a column for each recipient.

const MAX_MATRIX = 80;

// The table of `edges` among `actors`. `pick` and `pickPair` are called as for a graph.
function matrix(model, actors, edges, { pick, pickPair }) {
  const shown = actors.slice(0, MAX_MATRIX);
  const byPair = new Map(edges.map((edge) => [`${edge.from} ${edge.to}`, edge]));
  const most = Math.max(1, ...edges.map((edge) => edge.total));
  const name = (actor) => oneLine(model.actorName(actor), 60);
  const head = h("tr", {}, h("td", {}, h("small", {}, "from ↓ to →")), shown.map((actor) => h("th", { scope: "col", title: name(actor) }, h("button", { on: { click: () => pick(actor) } }, data(name(actor))))));
  const rows = shown.map((from) => h("tr", {},
    h("th", { scope: "row", title: name(from) }, h("button", { on: { click: () => pick(from) } }, data(name(from)))),
    shown.map((to) => {
      const edge = byPair.get(`${from} ${to}`);
      if (!edge) return h("td", { class: from === to ? "self" : "" });
      const title = `${name(from)} → ${name(to)}: ${edge.total.toLocaleString("en")}${edge.errors ? `, ${edge.errors} failed` : ""}`;
      return h("td", {}, h("button", { class: `cell${edge.errors ? " failed" : ""}`, title, "aria-label": title, style: { "--share": `${Math.round(12 + 68 * (edge.total / most))}%` }, on: { click: () => pickPair(from, to) } }, edge.total > 999 ? "999+" : String(edge.total)));
    })));
  return h("div", { class: "matrix-frame" }, h("table", { class: "matrix" }, h("thead", {}, head), h("tbody", {}, rows)));
}
