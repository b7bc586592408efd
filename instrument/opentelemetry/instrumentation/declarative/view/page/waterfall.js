// The traces as trees with bars in time. Traces that a span causes are below it, if links are followed.

const EXPANDED_AT_FIRST = 3000;

class Waterfall {
  constructor(axis, body, model, open) {
    Object.assign(this, { axis, model, open });
    this.collapsed = new Set();
    this.rows = [];
    this.list = new VirtualList(body, {
      height: 26, row: (index) => this.row(this.rows[index]), activate: (index) => open(this.rows[index].span), key: (key, index) => this.pressed(key, index),
    });
    body.addEventListener("dblclick", (event) => {
      const found = event.target.closest("[data-row]");
      if (found) this.toggle(this.rows[Number(found.dataset.row)].span);
    });
  }

  // `selected` are the spans that match the filters; their ancestors are shown as well.
  show(selected, { followLinks, perTrace }) {
    Object.assign(this, { selected, followLinks, perTrace });
    this.arrange();
    this.collapsed = new Set();
    if (this.shownCount > EXPANDED_AT_FIRST && this.roots.length > 1) for (const root of this.roots) this.collapsed.add(root);
    this.findRanges();
    this.flatten();
    this.list.show(this.rows.length);
    this.drawAxis();
  }

  // The parents of spans, across traces if links are followed, without cycles.
  arrange() {
    const { model, selected } = this;
    const count = model.spans.length;
    const parents = new Int32Array(count);
    for (let number = 0; number < count; number++) {
      parents[number] = model.spans[number][PARENT];
      if (parents[number] < 0 && this.followLinks) parents[number] = model.cause(number);
    }
    const state = new Uint8Array(count);
    for (let number = 0; number < count; number++) {
      const path = [];
      let each = number;
      while (each >= 0 && state[each] === 0) {
        state[each] = 1;
        path.push(each);
        each = parents[each];
      }
      if (each >= 0 && state[each] === 1) parents[each] = -1;
      for (const done of path) state[done] = 2;
    }
    const shown = new Uint8Array(count);
    for (let number = 0; number < count; number++) {
      for (let each = number; selected[number] && each >= 0 && !shown[each]; each = parents[each]) shown[each] = 1;
    }
    this.children = new Map();
    this.roots = [];
    this.shownCount = 0;
    for (let number = 0; number < count; number++) {
      if (!shown[number]) continue;
      this.shownCount += 1;
      if (parents[number] >= 0) push(this.children, parents[number], number);
      else this.roots.push(number);
    }
    this.parents = parents;
  }

  // The times that each tree and all of them take.
  findRanges() {
    const { model } = this;
    this.ranges = new Map();
    this.sizes = new Map();
    this.whole = [Infinity, -Infinity];
    const ends = new Map();
    const visit = this.roots.map((root) => [root, root]);
    while (visit.length > 0) {
      const [span, root] = visit.pop();
      this.sizes.set(root, (this.sizes.get(root) || 0) + 1);
      ends.set(root, Math.max(ends.get(root) || 0, model.endOf(span)));
      for (const child of this.children.get(span) || []) visit.push([child, root]);
    }
    for (const root of this.roots) {
      const range = [model.spans[root][START], ends.get(root)];
      this.ranges.set(root, range);
      this.whole = [Math.min(this.whole[0], range[0]), Math.max(this.whole[1], range[1])];
    }
  }

  flatten() {
    this.rows = [];
    const stack = this.roots.map((span) => ({ span, depth: 0, root: span })).reverse();
    while (stack.length > 0) {
      const row = stack.pop();
      this.rows.push(row);
      const children = this.children.get(row.span) || [];
      row.below = children.length;
      if (!this.collapsed.has(row.span)) for (let i = children.length - 1; i >= 0; i--) stack.push({ span: children[i], depth: row.depth + 1, root: row.root });
    }
  }

  toggle(span, isCollapsed = !this.collapsed.has(span)) {
    if (isCollapsed) this.collapsed.add(span);
    else this.collapsed.delete(span);
    const { current } = this.list;
    this.flatten();
    this.list.show(this.rows.length, { keep: true });
    this.list.select(Math.min(current, this.rows.length - 1), { quiet: true });
  }

  pressed(key, index) {
    const { span } = this.rows[index];
    if (key === "ArrowRight") this.toggle(span, false);
    else if (key === "ArrowLeft" && !this.collapsed.has(span) && this.children.has(span)) this.toggle(span, true);
    else if (key === "ArrowLeft") this.list.select(this.rows.findIndex((row) => row.span === this.parents[span]));
    else if (key === "Enter") this.open(span);
    else return false;
    return true;
  }

  // Make a span visible and current.
  reveal(span) {
    for (let each = this.parents[span]; each >= 0; each = this.parents[each]) this.collapsed.delete(each);
    this.flatten();
    this.list.show(this.rows.length, { keep: true });
    const index = this.rows.findIndex((row) => row.span === span);
    this.list.select(index, { scroll: true, quiet: true });
    return index >= 0;
  }

  row({ span, depth, root, below }) {
    const { model } = this;
    const fields = model.spans[span];
    const isLinked = fields[PARENT] < 0 && depth > 0;
    const twisty = below > 0
      ? h("button", { class: "twisty", tabindex: -1, "aria-label": this.collapsed.has(span) ? "Expand" : "Collapse", on: { click: (event) => { event.stopPropagation(); this.toggle(span); } } }, this.collapsed.has(span) ? "▸" : "▾")
      : h("span", { class: "twisty" });
    const missing = fields[PARENT] < 0 && fields[MISSING];
    return h("div", { class: `waterfall-row${model.isError(span) ? " failed" : ""}${this.selected[span] ? "" : " context"}` },
      h("span", { class: "tree", style: { "padding-left": `${Math.min(depth, 24) * 14}px` } }, twisty,
        isLinked && h("span", { class: "linked", title: "caused by the span above, in a trace of its own" }, "↪"),
        missing && h("span", { class: "linked", title: "its parent is not among these spans" }, "⋯"),
        data(oneLine(model.name(span), 160), "span-name"),
        this.recipients(span),
        this.collapsed.has(span) && below > 0 && h("small", {}, ` ${this.hidden(span, root, below)}`)),
      h("span", { class: "who" }, data(oneLine(model.actorName(fields[ACTOR]), 60))),
      this.bar(span, root),
      h("span", { class: `length${fields[DURATION] < 0 ? " open-mark" : ""}` }, formatDuration(fields[DURATION])));
  }

  // What a collapsed span hides.
  hidden(span, root, below) {
    if (span === root) return `· ${formatCount(this.sizes.get(root) - 1, "more span")}`;
    return below === 1 ? "· 1 child" : `· ${below.toLocaleString("en")} children`;
  }

  recipients(span) {
    const message = this.model.messageOf.get(span);
    if (!message || message[0] !== "message" || message[4].length === 0) return null;
    return h("small", {}, " → ", data(oneLine(message[4].map((actor) => this.model.actorName(actor)).join(", "), 80)));
  }

  bar(span, root) {
    const { model } = this;
    const [from, to] = this.perTrace ? this.ranges.get(root) : this.whole;
    const scale = 100 / Math.max(1, to - from);
    const left = (model.spans[span][START] - from) * scale;
    const width = (model.endOf(span) - model.spans[span][START]) * scale;
    const className = `bar tone-${model.tone(span)}${model.isError(span) ? " failed" : ""}${model.isOpen(span) ? " open" : ""}`;
    const extent = span === root && this.collapsed.has(span) && h("i", { class: `bar extent tone-${model.tone(span)}`, style: { left: `${Math.max(0, left)}%`, width: `${Math.min(100, (this.ranges.get(root)[1] - this.ranges.get(root)[0]) * scale)}%` } });
    return h("span", { class: "track" }, extent, h("i", { class: className, style: { left: `${Math.min(99.7, Math.max(0, left))}%`, width: `max(3px, ${Math.min(100, width)}%)` } }));
  }

  drawAxis() {
    const [from, to] = this.whole;
    const ticks = this.perTrace || this.roots.length === 0 ? [] : [0, 0.25, 0.5, 0.75].map((part) => h("span", { style: { left: `${part * 100}%` } }, formatOffset(from + part * (to - from))));
    const note = this.perTrace ? h("span", {}, "each trace on its own scale") : null;
    this.axis.replaceChildren(h("span", { class: "tree" }, "span"), h("span", { class: "who" }, this.model.actors.some((actor) => actor[1]) ? "agent or service" : "service"), h("span", { class: "track" }, ticks, note), h("span", { class: "length" }, "duration"));
  }
}
