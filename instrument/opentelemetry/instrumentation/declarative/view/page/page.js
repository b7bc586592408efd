// The page: filters, views, and the span that is shown in detail.

const HINTS = {
  none: "",
  calls: "A box is a program, or a system that it calls, such as a database. An arrow points to what is called. Click a box to see only its spans, or an arrow to see the calls.",
  graph: "A box is an agent, or a program if its border is dashed. An arrow points to whom it speaks. Click a box to see only its spans, or an arrow to read what was said.",
  matrix: "A number is how often the agent or program of its row speaks to that of its column. Click a number to read what was said.",
};
const VIEWS = ["overview", "story", "sequence", "waterfall"];

class Page {
  constructor(model) {
    this.model = model;
    this.filters = { query: "", actor: -1, pair: null, channel: -1, task: 0, errors: false, open: false };
    this.options = { steps: true, followLinks: true, perTrace: this.prefersOwnScales() };
    const open = (number) => this.open(number);
    this.details = new Details(byId("details"), model, open);
    this.graph = new Graph(byId("graph"), model, {
      pick: (actor) => this.filter({ actor: this.filters.actor === actor ? -1 : actor }),
      pickPair: (from, to) => { this.filter({ pair: [from, to] }); this.showView("sequence"); },
    });
    this.storyView = new StoryView(byId("story-list"), model, open);
    this.sequence = new Sequence(byId("sequence-head"), byId("sequence-list"), model, open);
    this.waterfall = new Waterfall(byId("axis"), byId("waterfall-list"), model, open);
    this.selected = new Uint8Array(model.spans.length).fill(1);
    this.stale = new Set(VIEWS);
    this.hasAgents = model.actors.some((actor) => actor[1]);
    this.hasSteps = model.spans.some((_, number) => STEPS.has(model.role(number)));
    this.setUp();
    this.apply();
    this.fromHash();
  }

  // Short traces in a long recording are only visible on scales of their own.
  prefersOwnScales() {
    const { model } = this;
    const lengths = model.spans.filter((span) => span[PARENT] < 0 && span[DURATION] >= 0).map((span) => span[DURATION]).sort((a, b) => a - b);
    return lengths.length > 20 && model.end > 100 * (lengths[Math.floor(lengths.length / 2)] || 1);
  }

  // ── Filters ──

  filter(changes) {
    Object.assign(this.filters, changes);
    this.apply();
  }

  apply() {
    const { model, filters } = this;
    const masks = [];
    if (filters.query) masks.push(model.search(filters.query));
    if (filters.actor >= 0) masks.push(model.ofActor(filters.actor));
    if (filters.pair) masks.push(this.ofPair(filters.pair));
    if (filters.channel >= 0) masks.push(model.matching((span) => span[CHANNEL] === filters.channel));
    if (filters.task > 0) masks.push(this.ofTask(filters.task));
    if (filters.errors) masks.push(model.matching((span) => span[STATUS] === ERROR));
    if (filters.open) masks.push(model.matching((_, number) => model.isOpen(number)));
    this.selected = model.matching((_, number) => masks.every((mask) => mask[number]));
    this.stale = new Set(VIEWS);
    this.showControls(masks.length > 0);
    this.draw();
  }

  ofPair([from, to]) {
    const result = new Uint8Array(this.model.spans.length);
    for (const message of this.model.messages) {
      if ((message[3] === from && message[4].includes(to)) || (message[3] === to && message[4].includes(from))) result[message[1]] = 1;
    }
    return result;
  }

  // The spans of a task, and what is below them.
  ofTask(task) {
    const result = this.model.matching((span) => span[TASK] === task);
    const stack = [];
    result.forEach((is, number) => { if (is) stack.push(number); });
    while (stack.length > 0) for (const child of this.model.children.get(stack.pop()) || []) if (!result[child]) { result[child] = 1; stack.push(child); }
    return result;
  }

  showControls(isFiltered) {
    const { model, filters } = this;
    byId("query").value = filters.query;
    byId("actor").value = filters.actor;
    byId("channel").value = filters.channel;
    byId("task").value = filters.task;
    byId("errors").checked = filters.errors;
    byId("open").checked = filters.open;
    byId("pair").hidden = !filters.pair;
    if (filters.pair) byId("pair").replaceChildren(data(filters.pair.map((actor) => oneLine(model.actorName(actor), 40)).join(" ↔ ")), " ✕");
    byId("reset").hidden = !isFiltered;
    const count = this.selected.reduce((sum, each) => sum + each, 0);
    byId("matching").textContent = isFiltered ? `${count.toLocaleString("en")} of ${formatCount(model.spans.length, "span")}` : "";
  }

  reset() {
    this.filter({ query: "", actor: -1, pair: null, channel: -1, task: 0, errors: false, open: false });
  }

  // ── Views ──

  showView(name) {
    this.view = name;
    for (const each of VIEWS) {
      const tab = byId(`tab-${each}`);
      byId(each).hidden = each !== name;
      tab.setAttribute("aria-selected", String(each === name));
      tab.tabIndex = each === name ? 0 : -1;
    }
    this.draw();
    history.replaceState(null, "", `#${name}`);
  }

  draw() {
    if (!this.view || !this.stale.has(this.view)) return;
    this.stale.delete(this.view);
    this.showOptions();
    const { selected, options } = this;
    if (this.view === "overview") this.drawOverview();
    else if (this.view === "story") this.storyView.show(selected);
    else if (this.view === "waterfall") this.waterfall.show(selected, options);
    else {
      const count = this.sequence.show(selected, options);
      byId("sequence-empty").hidden = count > 0;
      for (const id of ["sequence-hint", "sequence-head", "sequence-list"]) byId(id).hidden = count === 0;
    }
  }

  drawOverview() {
    const { model, selected } = this;
    const open = (number) => this.open(number);
    const shown = this.graph.show(selected);
    byId("graph-hint").textContent = shown === "graph" && !this.hasAgents ? HINTS.calls : HINTS[shown];
    for (const id of ["graph-title", "graph-hint", "graph"]) byId(id).hidden = shown === "none";
    const found = operations(model, selected);
    byId("times").hidden = found.length === 0;
    byId("overview-empty").hidden = shown !== "none" || found.length > 0;
    byId("operations").replaceChildren(...(found.length ? operationsTable(model, found, open) : []).filter(Boolean));
    const failures = failureItems(model, selected);
    const openSpans = openItems(model, selected);
    byId("failures-title").textContent = formatCount(failures.length, "failure");
    byId("failures").replaceChildren(...spanButtons(model, failures, open));
    byId("open-title").hidden = openSpans.length === 0;
    byId("open-title").textContent = `${formatCount(openSpans.length, "span")} without an end`;
    byId("open-spans").replaceChildren(...spanButtons(model, openSpans, open));
    const counts = new Map();
    model.spans.forEach((span, number) => { if (selected[number] && span[CHANNEL] >= 0) counts.set(span[CHANNEL], (counts.get(span[CHANNEL]) || 0) + 1); });
    byId("channels").replaceChildren(...[...counts].slice(0, 200).map(([channel, count]) => this.channelButton(channel, count)));
    byId("channels").previousElementSibling.hidden = counts.size === 0;
  }

  channelButton(channel, count) {
    const { model } = this;
    const members = model.channels[channel][2].slice(0, 8).map((actor) => oneLine(model.actorName(actor), 40)).join(", ");
    return h("button", { class: "item", on: { click: () => { this.filter({ channel }); this.showView("sequence"); } } },
      h("span", { class: "item-text" }, data(oneLine(model.channelLabel(channel), 60), "actor"), " ", data(members), h("span", { class: "dim" }, ` · ${formatCount(count, "span")}`)));
  }

  showOptions() {
    const check = (name, label) => h("label", { class: "check" }, h("input", { type: "checkbox", checked: this.options[name], on: { change: (event) => {
      this.options[name] = event.target.checked;
      this.stale.add(this.view);
      this.draw();
    } } }), ` ${label}`);
    const shown = { sequence: this.hasSteps ? [check("steps", "models, tools and tasks")] : [], waterfall: [check("followLinks", "follow links across traces"), check("perTrace", "own scale for each trace")] };
    byId("options").replaceChildren(...(this.view === "story" || this.view === "waterfall" ? [this.legend()] : []), ...(shown[this.view] || []));
  }

  // The colours of roles, or of services.
  legend() {
    const { model } = this;
    const names = new Map();
    model.spans.forEach((span, number) => {
      const role = model.role(number);
      if (model.tone(number) !== "detail" && names.size < 10) names.set(model.tone(number), role || oneLine(model.text(model.resources[span[RESOURCE]][0]) || "other", 24));
    });
    return h("span", { class: "legend" }, [...names].map(([tone, name]) => h("span", {}, h("i", { class: `dot tone-${tone}` }), name)));
  }

  // ── A span ──

  open(number) {
    this.details.show(number);
    if (this.view === "waterfall") {
      const row = this.waterfall.rows[this.waterfall.list.current];
      if (!row || row.span !== number) this.waterfall.reveal(number);
    }
    history.replaceState(null, "", `#${this.view}/${this.model.spans[number][SPAN_ID]}`);
  }

  // The address names the view and the span: `page.html#waterfall/63c2…`.
  fromHash() {
    const [view, id] = location.hash.slice(1).split("/");
    this.showView(VIEWS.includes(view) && !byId(`tab-${view}`).hidden ? view : "overview");
    const number = id ? this.model.spans.findIndex((span) => span[SPAN_ID] === id) : -1;
    if (number >= 0) this.open(number);
  }

  // ── Elements ──

  setUp() {
    const { model } = this;
    byId("title").textContent = document.title;
    byId("summary").textContent = this.summary();
    if (!this.hasAgents) {
      byId("actor-label").textContent = "Service";
      byId("graph-title").textContent = "What calls what";
      byId("sequence-words").textContent = "Time runs downwards. An arrow is a call.";
    }
    byId("tab-sequence").hidden = model.messages.length === 0;
    byId("no-content").hidden = !model.messages.some(([kind]) => kind !== "call") || model.messages.some(({ 6: text }) => text > 0);
    byId("notes").replaceChildren(...model.notes.map((note) => h("p", {}, visible(note))));
    this.fillSelect("actor", "all", -1, model.actors.map(([name], number) => [number, name]));
    this.fillSelect("channel", "all", -1, model.channels.map((_, number) => [number, model.channelLabel(number)]));
    this.fillSelect("task", "all", 0, [...new Set(model.spans.map((span) => span[TASK]))].filter((task) => task > 0).map((task) => [task, model.text(task)]));
    let timer = 0;
    byId("query").addEventListener("input", (event) => {
      clearTimeout(timer);
      timer = setTimeout(() => this.filter({ query: event.target.value.trim() }), 150);
    });
    for (const id of ["errors", "open"]) byId(id).addEventListener("change", (event) => this.filter({ [id]: event.target.checked }));
    byId("pair").addEventListener("click", () => this.filter({ pair: null }));
    byId("reset").addEventListener("click", () => this.reset());
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    byId("theme").addEventListener("click", () => this.switchTheme());
    document.querySelector("[role=tablist]").addEventListener("keydown", (event) => this.moveTab(event));
    for (const name of VIEWS) byId(`tab-${name}`).addEventListener("click", () => this.showView(name));
    document.addEventListener("keydown", (event) => this.pressed(event));
    let width = innerWidth;
    addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; this.stale.add("overview"); this.draw(); } });
  }

  summary() {
    const { model } = this;
    const count = (test) => model.spans.reduce((sum, _, number) => sum + (test(number) ? 1 : 0), 0);
    const agents = model.actors.filter((actor) => actor[1]).length;
    const facts = [formatDate(model.start).replace(/\.\d+ UTC/, " UTC"), formatDuration(model.end), formatCount(model.spans.length, "span"), formatCount(model.traces.length, "trace")];
    if (agents) facts.push(formatCount(agents, "agent"));
    const messages = model.messages.filter(([kind]) => kind === "message" || kind === "ask").length;
    const calls = model.messages.filter(([kind]) => kind === "call").length;
    if (messages) facts.push(formatCount(messages, "message"));
    if (calls) facts.push(formatCount(calls, "call"));
    const open = count((number) => model.isOpen(number));
    facts.push(formatCount(model.failures.length, "failure"));
    if (open) facts.push(`${open.toLocaleString("en")} without an end`);
    return facts.join(" · ");
  }

  fillSelect(id, none, noneValue, items) {
    const select = byId(id);
    const sorted = items.sort((a, b) => String(a[1]).localeCompare(String(b[1]), "en", { numeric: true }));
    select.replaceChildren(h("option", { value: noneValue }, none), ...sorted.slice(0, 5000).map(([value, label]) => h("option", { value }, oneLine(label, 60))));
    select.parentElement.hidden = items.length === 0;
    select.addEventListener("change", () => this.filter({ [id]: Number(select.value) }));
  }

  switchTheme() {
    const isDark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = isDark ? "light" : "dark";
  }

  moveTab(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const shown = VIEWS.filter((each) => !byId(`tab-${each}`).hidden);
    const name = shown[(shown.indexOf(this.view) + step + shown.length) % shown.length];
    this.showView(name);
    byId(`tab-${name}`).focus();
  }

  pressed(event) {
    const isTyping = event.target.matches("input, select, textarea");
    if (event.key === "/" && !isTyping) {
      event.preventDefault();
      byId("query").focus();
    } else if (event.key === "Escape" && !byId("details").hidden) {
      event.preventDefault(); // browsers clear the search without an event
      this.details.hide();
    } else if (event.key === "Escape" && event.target.id === "query" && event.target.value) {
      event.preventDefault();
      this.filter({ query: "" });
    } else if (event.key === "Escape" && isTyping) event.target.blur();
  }
}

(async () => {
  try {
    const model = new Model(await readData());
    byId("app").hidden = false;
    byId("loading").remove();
    window.page = new Page(model);
  } catch (error) {
    byId("loading").textContent = `The page cannot be shown: ${error}. It needs a browser that has DecompressionStream, such as Chrome 80, Firefox 113 or Safari 16.4.`;
    throw error;
  }
})();
