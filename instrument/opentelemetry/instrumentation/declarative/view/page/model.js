// The recorded spans, and what is derived from them.

async function readData() {
  const text = byId("data").textContent;
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const data = JSON.parse(await new Response(stream).text());
  byId("data").remove();
  return data;
}

// The positions of the fields of a span. They are those of PageData in Python.
const [START, DURATION, NAME, KIND, STATUS, MESSAGE, PARENT, MISSING, TRACE, SPAN_ID, ATTRIBUTES, EVENTS, LINKS,
  RESOURCE, SCOPE, ROLE, ACTOR, CHANNEL, TASK, TOKENS, SEEN, ENDED_BY] = Array(22).keys();
const ERROR = 2;
// Roles of spans that are open because of something that happens during them.
const LASTING = new Set(["agent", "channel"]);
const KINDS = ["internal", "server", "client", "producer", "consumer"];

class Model {
  constructor(data) {
    Object.assign(this, data);
    const spans = this.spans;
    this.children = new Map();
    this.linkedFrom = new Map();
    this.end = 0;
    spans.forEach((span, number) => {
      if (span[PARENT] >= 0) push(this.children, span[PARENT], number);
      for (const link of span[LINKS]) if (link[0] >= 0) push(this.linkedFrom, link[0], [number, link]);
      this.end = Math.max(this.end, span[START] + span[SEEN]);
    });
    this.messageOf = new Map(this.messages.filter(([kind]) => kind !== "answer").map((message) => [message[1], message]));
    this.lowerTexts = null;
    const services = [...new Set(this.resources.map(([service]) => service))];
    this.serviceTones = this.resources.map(([service]) => services.indexOf(service) % 4);
  }

  text(number) { return this.texts[number]; }
  name(number) { return this.texts[this.spans[number][NAME]]; }
  role(number) { return this.roles[this.spans[number][ROLE]]; }
  actorName(actor) { return this.actors[actor][0]; }
  channelLabel(channel) { return channel < 0 ? "" : this.texts[this.channels[channel][0]]; }
  isError(number) { return this.spans[number][STATUS] === ERROR; }
  // Whether a span has no end, or something else ended it.
  isOpen(number) { return this.spans[number][DURATION] < 0 || this.spans[number][ENDED_BY] > 0; }

  // The end of a span; of an open one, the end of the recording.
  endOf(number) {
    const span = this.spans[number];
    return span[DURATION] < 0 ? this.end : span[START] + span[DURATION];
  }

  // What caused the root of a trace: the target of its first link that is not a membership.
  cause(number) {
    const link = this.spans[number][LINKS].find((each) => each[0] >= 0 && each[2] && each[0] !== number);
    return link ? link[0] : -1;
  }

  // What colours a span: its role, or else its service.
  tone(number) {
    const role = this.role(number);
    if (role === "detail" || role === "report") return "detail";
    return role || `service-${this.serviceTones[this.spans[number][RESOURCE]]}`;
  }

  // The numbers of the spans whose name, error or attributes contain a text.
  search(query) {
    const needle = query.toLowerCase();
    if (!this.lowerTexts) this.lowerTexts = this.texts.map((text) => text.toLowerCase());
    const texts = new Set();
    this.lowerTexts.forEach((text, number) => { if (text.includes(needle)) texts.add(number); });
    const values = new Set();
    this.values.forEach((value, number) => { if (String(value).toLowerCase().includes(needle)) values.add(number); });
    const inAttributes = (pairs) => {
      for (let i = 0; i < pairs.length; i += 2) if (texts.has(pairs[i]) || values.has(pairs[i + 1])) return true;
      return false;
    };
    return this.matching((span) => texts.has(span[NAME]) || texts.has(span[MESSAGE]) || inAttributes(span[ATTRIBUTES])
      || span[SPAN_ID].startsWith(needle) || this.traces[span[TRACE]].startsWith(needle)
      || span[EVENTS].some((event) => texts.has(event[1]) || inAttributes(event[2])));
  }

  matching(test) {
    const result = new Uint8Array(this.spans.length);
    this.spans.forEach((span, number) => { if (test(span, number)) result[number] = 1; });
    return result;
  }

  // The numbers of the spans that an agent records, and of the messages that it sends or receives.
  ofActor(actor) {
    const result = this.matching((span) => span[ACTOR] === actor);
    for (const message of this.messages) if (message[3] === actor || message[4].includes(actor)) result[message[1]] = 1;
    return result;
  }
}

function push(map, key, value) {
  const known = map.get(key);
  if (known) known.push(value);
  else map.set(key, [value]);
}
