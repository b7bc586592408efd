// A sequence diagram: a column for each participant, a row for each message, request, answer, and step.

const NARROWEST = 190;
const WIDEST = 340;
const GUTTER = 96;
const ROW = 34;
const STEPS = new Set(["model", "tool", "task", "human"]);

class Sequence {
  constructor(head, body, model, open) {
    Object.assign(this, { head, model, open });
    this.rows = [];
    this.columns = [];
    this.list = new VirtualList(body, { height: ROW, row: (index) => this.row(index), activate: (index) => open(this.rows[index].span) });
    body.addEventListener("scroll", () => { head.scrollLeft = body.scrollLeft; });
  }

  show(selected, { steps }) {
    const { model } = this;
    const messages = model.messages.filter(([, span]) => selected[span]).map(([kind, span, time, from, to, channel, text, type]) => ({ kind, span, time, from, to, channel, text, type }));
    const asked = new Set(messages.filter(({ kind }) => kind === "ask").map(({ span }) => span));
    const stories = model.story.filter(({ 2: span }) => selected[span] && ((steps && STEPS.has(model.role(span))) || (model.role(span) === "turn" && model.isError(span) && !asked.has(span))))
      .map(([time, , span, , action, , , , , , count]) => ({ kind: "step", span, time, from: model.spans[span][ACTOR], to: [], action, count }));
    this.rows = [];
    for (const row of [...messages, ...stories].sort((a, b) => a.time - b.time)) {
      const last = this.rows[this.rows.length - 1];
      if (last && this.isSame(last, row)) last.count += 1;
      else this.rows.push({ count: 1, ...row });
    }
    let before = -1; // the channel is named where it changes
    for (const row of this.rows) {
      row.place = row.kind !== "step" && row.channel !== before && row.channel >= 0 && model.channels[row.channel][3] ? row.channel : -1;
      if (row.kind !== "step") before = row.channel;
    }
    const order = new Map();
    for (const row of this.rows) for (const actor of [row.from, ...row.to]) if (!order.has(actor)) order.set(actor, order.size);
    this.columns = order;
    this.findActive(selected);
    this.column = Math.max(NARROWEST, Math.min(WIDEST, (this.list.element.clientWidth - GUTTER - 100) / order.size));
    const width = GUTTER + order.size * this.column + 160;
    this.width = width;
    this.head.replaceChildren(h("div", { class: "sequence-names", style: { width: `${width}px` } },
      [...order].map(([actor, column]) => h("span", { class: `participant ${model.actors[actor][1] ? "agent" : "service"}`, title: visible(model.actorName(actor).slice(0, 300)), style: { left: `${this.x(column) - 75}px` } }, data(oneLine(model.actorName(actor), 60))))));
    this.list.space.style.width = `${width}px`;
    this.list.show(this.rows.length);
    return this.rows.length;
  }

  // Whether a call repeats the one before it.
  isSame(last, row) {
    const { model } = this;
    const [a, b] = [model.spans[last.span], model.spans[row.span]];
    return last.kind === "call" && row.kind === "call" && last.from === row.from && last.to[0] === row.to[0] && a[NAME] === b[NAME] && a[PARENT] === b[PARENT]
      && ![last.span, row.span].some((span) => model.isError(span) || model.isOpen(span));
  }

  x(column) { return GUTTER + this.column / 2 + column * this.column; }

  // For each row, the columns of participants whose turns last over it.
  findActive(selected) {
    const { model, rows } = this;
    const changes = [...this.columns.keys()].map(() => new Int32Array(rows.length + 1));
    model.spans.forEach((span, number) => {
      if (!selected[number] || model.role(number) !== "turn" || !this.columns.has(span[ACTOR])) return;
      const first = lowerBound(rows, span[START]);
      const last = lowerBound(rows, model.endOf(number) + 1);
      if (first >= last) return;
      const column = changes[this.columns.get(span[ACTOR])];
      column[first] += 1;
      column[last] -= 1;
    });
    for (const column of changes) for (let i = 1; i < column.length; i++) column[i] += column[i - 1];
    this.active = changes;
  }

  row(index) {
    const row = this.rows[index];
    const failed = this.model.isError(row.span) && row.kind !== "answer" ? " failed" : "";
    return h("div", { class: `sequence-row${failed}` },
      h("span", { class: "time" }, formatOffset(row.time)),
      svg("svg", { width: this.width, height: ROW, class: "lines", "aria-hidden": "true" }, this.lifelines(index), row.kind === "step" ? this.step(row) : this.arrows(row)),
      row.kind === "step" ? this.stepLabel(row) : this.label(row));
  }

  lifelines(index) {
    return [...this.columns.values()].map((column) => [
      svg("line", { class: "lifeline", x1: this.x(column), x2: this.x(column), y1: 0, y2: ROW }),
      this.active[column][index] > 0 && svg("rect", { class: "active", x: this.x(column) - 5, y: 0, width: 10, height: ROW }),
    ]).flat();
  }

  step(row) {
    return [svg("circle", { class: `step tone-${this.model.tone(row.span)}`, cx: this.x(this.columns.get(row.from)), cy: ROW / 2, r: 5 })];
  }

  arrows(row) {
    const from = this.x(this.columns.get(row.from));
    const ends = row.to.map((actor) => this.x(this.columns.get(actor))).filter((x) => x !== from);
    const y = ROW - 9;
    const dashed = row.kind === "answer" ? " dashed" : "";
    return ends.map((end) => {
      const direction = end > from ? 1 : -1;
      const tip = end - direction * 6;
      return [svg("line", { class: `arrow-line${dashed}`, x1: from + direction * 6, x2: tip, y1: y, y2: y }),
        svg("path", { class: "arrow", d: `M${tip},${y} l${-direction * 9},-4.5 v9 z` })];
    }).flat();
  }

  // The label lies above the arrow, or the widest of several, and is not wider.
  label(row) {
    const columns = [row.from, ...row.to].map((actor) => this.columns.get(actor));
    const left = this.x(Math.min(...columns));
    const right = this.x(Math.max(...columns));
    const width = Math.max(right - left, this.column) - 24;
    return h("span", { class: "sequence-label", style: { left: `${left + 12}px`, width: `${width}px` }, title: this.title(row) }, this.words(row));
  }

  words(row) {
    const { model } = this;
    const type = model.text(row.type);
    const place = row.place >= 0 && h("small", { class: "tag" }, data(oneLine(model.channelLabel(row.place), 40)));
    const text = row.kind === "call" ? model.name(row.span) + (row.count > 1 ? ` × ${row.count.toLocaleString("en")}` : "") : model.text(row.text);
    const fallback = { message: type || (place ? "" : "message"), ask: "asks", answer: model.isError(row.span) ? "fails" : "answers", call: "calls" }[row.kind];
    return [place, place && " ", text ? data(oneLine(text, 160), row.kind === "call" ? "" : "quote") : data(oneLine(fallback, 120))];
  }

  title(row) {
    return oneLine(`${this.model.actorName(row.from)} → ${row.to.map((actor) => this.model.actorName(actor)).join(", ")}: ${this.model.text(row.text) || this.model.name(row.span)}`, 600);
  }

  stepLabel(row) {
    const { model } = this;
    const left = this.x(this.columns.get(row.from)) + 14;
    const error = model.isError(row.span) ? ` ${model.text(model.spans[row.span][MESSAGE])}` : "";
    return h("span", { class: "sequence-label step-label", style: { left: `${left}px`, width: `${this.column - 24}px` }, title: oneLine(model.text(row.action) + error, 400) },
      data(oneLine(model.text(row.action) + (row.count > 1 ? ` × ${row.count}` : ""), 120)),
      model.isOpen(row.span) && h("span", { class: "open-mark" }, " no end"));
  }
}

// The first row that is not before a time.
function lowerBound(rows, time) {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].time < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
