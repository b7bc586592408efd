// Everything that is known of a span.

class Details {
  constructor(element, model, open) {
    Object.assign(this, { element, model, open });
  }

  show(number) {
    const { model } = this;
    const span = model.spans[number];
    const children = model.children.get(number) || [];
    this.element.replaceChildren(...[
      h("header", {},
        h("h2", {}, data(oneLine(model.name(number), 500))),
        h("button", { class: "close", "aria-label": "Close the details", on: { click: () => this.hide() } }, "✕")),
      span[MESSAGE] > 0 && h("p", { class: model.isError(number) ? "error-box" : "note-box" }, this.long(model.text(span[MESSAGE]))),
      this.facts(number),
      this.section("Attributes", this.pairs(span[ATTRIBUTES])),
      this.section("Events", span[EVENTS].map((event) => this.event(event, span))),
      this.section("Links to", span[LINKS].map((link) => this.link(link[1], link[0], link[3], link))),
      this.section("Linked from", this.limited(model.linkedFrom.get(number) || [], ([from, link]) => this.link(link[1], from, []))),
      this.section("Children", this.limited(children, (child) => h("div", {}, this.jump(child)))),
      this.section("Resource", this.pairs(model.resources[span[RESOURCE]][1])),
    ].filter(Boolean));
    this.element.hidden = false;
    this.element.scrollTop = 0;
  }

  hide() {
    this.element.hidden = true;
  }

  facts(number) {
    const { model } = this;
    const span = model.spans[number];
    const start = formatDate(model.start + Math.floor(span[START] / 1e6));
    const facts = [
      ["Duration", span[DURATION] < 0 ? `no end, open for at least ${formatDuration(model.end - span[START])}` : formatDuration(span[DURATION])],
      ["Start", `${formatOffset(span[START])} · ${start}`],
      ["Status", ["unset", "ok", "error"][span[STATUS]]],
      ["Kind", KINDS[span[KIND]]],
      [model.actors[span[ACTOR]][1] ? "Agent" : "Service", data(oneLine(model.actorName(span[ACTOR])))],
      span[CHANNEL] >= 0 && ["Channel", data(oneLine(model.channelLabel(span[CHANNEL])))],
      ["Parent", span[PARENT] >= 0 ? this.jump(span[PARENT]) : span[MISSING] ? `${span[MISSING]}, not among these spans` : "none"],
      span[SCOPE] > 0 && ["Scope", data(oneLine(model.text(span[SCOPE])))],
      ["Span", span[SPAN_ID]],
      ["Trace", model.traces[span[TRACE]]],
    ];
    return h("dl", { class: "facts" }, facts.filter(Boolean).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
  }

  section(title, items) {
    return items.length > 0 && h("section", {}, h("h3", {}, `${title} `, h("small", {}, String(items.length))), items);
  }

  pairs(pairs) {
    const { model } = this;
    const rows = [];
    for (let i = 0; i < pairs.length; i += 2) {
      const value = model.values[pairs[i + 1]];
      rows.push(h("div", { class: "pair" }, data(oneLine(model.text(pairs[i]), 200), "key"), this.long(value === null ? "null" : String(value))));
    }
    return rows;
  }

  // A value of which the first part is shown, and the rest on demand.
  long(text) {
    const limit = 1200;
    const element = h("bdi", { class: "value" }, visible(text.slice(0, limit)));
    if (text.length <= limit) return element;
    const more = h("button", { class: "more", on: { click: () => {
      element.replaceChildren(visible(text));
      more.remove();
    } } }, `show all ${text.length.toLocaleString("en")} characters`);
    return h("div", {}, element, more);
  }

  limited(items, draw) {
    const shown = items.slice(0, 100).map(draw);
    if (items.length > 100) shown.push(h("p", {}, `and ${formatCount(items.length - 100, "more")}`.replace(/s$/, "")));
    return shown;
  }

  event(event, span) {
    return h("div", { class: "event" },
      h("div", {}, data(oneLine(this.model.text(event[1]), 200), "key"), h("span", { class: "dim" }, ` ${formatOffset(event[0])} · ${formatDuration(Math.max(0, event[0] - span[START]))} after its start`)),
      this.pairs(event[2]));
  }

  link(kind, target, attributes, link = null) {
    const label = kind > 0 ? data(oneLine(this.model.text(kind), 60), "tag") : null;
    const element = target >= 0 ? this.jump(target) : `span ${link[5]} of trace ${link[4]}, not among these spans`;
    return h("div", { class: "link" }, label, element);
  }

  jump(number) {
    return h("button", { class: "jump", on: { click: () => this.open(number) } }, data(oneLine(this.model.name(number), 200)));
  }
}
