// Texts: times, counts, and values that may contain anything.

const INVISIBLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

// A text in which characters that are invisible, or that reorder others, are written as escapes.
function visible(text) {
  return String(text).replace(INVISIBLE, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

// The same on one line, shortened.
function oneLine(text, limit = 300) {
  const cut = visible(String(text).slice(0, limit + 1).replace(/\s+/g, " ").trim());
  return cut.length > limit ? cut.slice(0, limit - 1) + "…" : cut;
}

function formatDuration(ns) {
  if (ns < 0) return "no end";
  if (ns < 1e9) return (ns / 1e6).toFixed(ns < 1e8 ? 2 : 1) + " ms";
  if (ns < 6e11) return (ns / 1e9).toFixed(ns < 1e10 ? 3 : 1) + " s";
  const seconds = Math.floor(ns / 1e9);
  const two = (number) => String(number).padStart(2, "0");
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

function formatOffset(ns) {
  const sign = ns < 0 ? "−" : "+";
  const size = Math.abs(ns);
  return sign + (size < 6e11 ? (size / 1e9).toFixed(size < 1e11 ? 4 : 2) + " s" : formatDuration(size) + (size / 1e9 % 1).toFixed(3).slice(1));
}

function formatDate(milliseconds) {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().replace("T", " ").replace("Z", " UTC");
}

function formatCount(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}
