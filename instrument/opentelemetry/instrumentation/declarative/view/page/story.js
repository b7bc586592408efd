// The story in order of time, and the lists of failures and open spans.

class StoryView {
  constructor(element, model, open) {
    Object.assign(this, { model, open });
    this.entries = [];
    this.list = new VirtualList(element, { height: 30, row: (index) => this.row(this.entries[index]), activate: (index) => open(this.entries[index][2]) });
  }

  show(selected) {
    this.entries = this.model.story.filter((entry) => selected[entry[2]]);
    this.list.show(this.entries.length);
  }

  row([time, depth, span, actor, action, quote, notes, duration, error, isOpen, count]) {
    const { model } = this;
    const facts = notes.map((note) => oneLine(model.text(note), 120));
    if (count > 1) facts.unshift(`× ${count.toLocaleString("en")}`);
    if (duration >= 0) facts.push(formatDuration(duration));
    return h("div", { class: `story-row${error >= 0 ? " failed" : ""}` },
      h("span", { class: "time" }, formatOffset(time)),
      h("span", { class: "what", style: { "padding-left": `${Math.min(depth, 8) * 18}px` } },
        h("i", { class: `dot tone-${model.tone(span)}` }),
        data(oneLine(model.text(actor), 80), "actor"), " ", data(oneLine(model.text(action), 160)),
        quote > 0 && data(`“${oneLine(model.text(quote), 200)}”`, "quote"),
        facts.length > 0 && h("span", { class: "dim" }, ` · ${facts.join(" · ")}`),
        isOpen === 1 && h("span", { class: "open-mark" }, "no end"),
        error > 0 && data(oneLine(model.text(error), 200), "bad")));
  }
}

// A short list of buttons that open spans.
function spanButtons(model, items, open) {
  const shown = items.slice(0, 200).map(({ span, time, title, text, className }) => h("button", { class: `item ${className}`, on: { click: () => open(span) } },
    h("span", { class: "time" }, formatOffset(time)),
    h("span", { class: "item-text" }, data(title, "actor"), " ", data(text))));
  if (items.length > 200) shown.push(h("p", { class: "dim" }, `and ${(items.length - 200).toLocaleString("en")} more`));
  return shown;
}

function failureItems(model, selected) {
  return model.failures.filter(([span]) => selected[span]).map(([span, time, actor, name, error]) => ({
    span, time, className: "failed", title: oneLine(model.actorName(actor), 80), text: `${oneLine(model.text(name), 120)}: ${oneLine(model.text(error), 240) || "error"}`,
  }));
}

function openItems(model, selected) {
  const result = [];
  model.spans.forEach((span, number) => {
    if (selected[number] && model.isOpen(number)) {
      const since = span[DURATION] < 0 ? `open for at least ${formatDuration(model.end - span[START])}` : `ended by ${oneLine(model.text(span[ENDED_BY]), 60)} after ${formatDuration(span[DURATION])}`;
      const name = (model.role(number) === "channel" && model.channelLabel(span[CHANNEL])) || model.name(number);
      result.push({ span: number, time: span[START], className: "open", title: oneLine(model.actorName(span[ACTOR]), 80), text: `${oneLine(name, 160)}, ${since}` });
    }
  });
  // What waits for nothing else that is open comes first: it is the cause.
  const waiting = new Set(result.map(({ span }) => model.spans[span][PARENT]));
  const rank = ({ span }) => (LASTING.has(model.role(span)) ? 2 : 0) + (waiting.has(span) ? 1 : 0);
  return result.sort((a, b) => rank(a) - rank(b));
}
