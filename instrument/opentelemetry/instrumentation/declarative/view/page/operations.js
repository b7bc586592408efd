// Where the time goes: the spans that one agent or service records with one name, taken together.

const MOST_OPERATIONS = 12;

// The operations of the selected spans that have ended, those with the most time of their own first.
function operations(model, selected) {
  const groups = new Map();
  model.spans.forEach((span, number) => {
    if (!selected[number] || span[DURATION] < 0 || LASTING.has(model.role(number)) || model.tone(number) === "detail") return;
    const key = `${span[ACTOR]} ${span[NAME]}`;
    if (!groups.has(key)) groups.set(key, { actor: span[ACTOR], name: span[NAME], spans: [], own: 0, failed: 0 });
    const group = groups.get(key);
    group.spans.push(number);
    group.own += ownTime(model, number);
    group.failed += model.isError(number) ? 1 : 0;
  });
  const duration = (number) => model.spans[number][DURATION];
  for (const group of groups.values()) group.spans.sort((a, b) => duration(a) - duration(b));
  return [...groups.values()].sort((a, b) => b.own - a.own);
}

// The time of a span in which none of its children lasts. Children are in order of start.
function ownTime(model, number) {
  const [start, duration] = model.spans[number];
  let [own, covered] = [0, start];
  for (const child of model.children.get(number) || []) {
    const [from, length] = model.spans[child];
    if (length < 0) continue;
    own += Math.max(Math.min(from, start + duration) - covered, 0);
    covered = Math.max(covered, from + length);
  }
  return own + Math.max(start + duration - covered, 0);
}

// A table of operations. A click on one opens its longest span.
function operationsTable(model, found, open) {
  const whole = found.reduce((sum, each) => sum + each.own, 0) || 1;
  const rows = found.slice(0, MOST_OPERATIONS).map(({ actor, name, spans, own, failed }) => {
    const longest = spans[spans.length - 1];
    const of = (number) => formatDuration(model.spans[number][DURATION]);
    return h("tr", { on: { click: () => open(longest) } },
      h("th", { scope: "row" }, h("button", { title: "Show the longest one" }, data(oneLine(model.text(name), 80)))),
      h("td", {}, data(oneLine(model.actorName(actor), 40))),
      h("td", {}, h("span", { class: "share", style: { "--share": `${(100 * own) / whole}%` } }, formatDuration(own))),
      h("td", {}, spans.length.toLocaleString("en")),
      h("td", {}, of(spans[(spans.length - 1) >> 1])),
      h("td", {}, of(longest)),
      h("td", { class: "bad" }, failed > 0 && `${failed.toLocaleString("en")} failed`));
  });
  const head = ["operation", "by", "own time", "count", "median", "longest", ""].map((name) => h("th", { scope: "col" }, name));
  const rest = found.length - MOST_OPERATIONS;
  return [h("table", { class: "operations" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows)),
    rest > 0 && h("p", { class: "dim" }, `${formatCount(rest, "more operation")} with less time`)];
}
