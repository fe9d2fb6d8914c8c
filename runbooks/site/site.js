"use strict";
// Theme, search, copying, the labels of the alert. No library, no network: the pages are in PAGES (search.js).
const root = document.body.dataset.root;
const byId = (id) => document.getElementById(id);
const remembered = {
  get(key) { try { return localStorage.getItem(key); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(key, value); } catch { /* a file in a strict browser remembers nothing */ } },
};

function theme(name) {
  document.documentElement.dataset.theme = name;
  remembered.set("theme", name);
}
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
document.documentElement.dataset.theme = remembered.get("theme") || (dark ? "dark" : "light");
byId("theme").addEventListener("click", () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));

// --- search: every word has to occur; a name counts most, then a heading, then the text.
const folded = (text) => text.toLowerCase();
const escaped = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

function score(words, name, about, heading, text) {
  let total = 0;
  for (const word of words) {
    const points = (name.startsWith(word) ? 60 : name.includes(word) ? 30 : 0)
      + (heading.includes(word) ? 8 : 0) + (about.includes(word) ? 6 : 0) + (text.includes(word) ? 2 : 0);
    if (!points) return 0;
    total += points;
  }
  return total;
}

function find(query) {
  const words = folded(query).split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const hits = [];
  for (const page of PAGES) {
    let best = null;
    for (const [anchor, heading, text] of page.parts) {
      const points = score(words, folded(`${page.name} ${page.title}`), folded(page.about), folded(heading), folded(text));
      if (points && (!best || points > best.points)) best = { points, page, anchor, heading, text };
    }
    // Words of one page may stand in several parts of it.
    const all = folded(page.parts.map((part) => part[1] + " " + part[2]).join(" "));
    const whole = best ? null : score(words, folded(page.name), folded(page.about), "", all);
    if (best || whole) hits.push(best || { points: whole / 2, page, anchor: "", heading: "", text: page.about });
  }
  return hits.sort((a, b) => b.points - a.points).slice(0, 20);
}

function marked(text, words) {
  const pattern = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  return pattern ? escaped(text).replace(new RegExp(`(${pattern})`, "gi"), "<mark>$1</mark>") : escaped(text);
}

function snippet(text, words) {
  const at = Math.max(0, Math.min(...words.map((word) => folded(text).indexOf(word)).filter((n) => n >= 0), text.length) - 50);
  return (at > 0 ? "…" : "") + text.slice(at, at + 170) + (at + 170 < text.length ? "…" : "");
}

const search = byId("search"), found = byId("found");
let chosen = -1;

function choose(number) {
  const items = [...found.querySelectorAll("li[role=option]")];
  chosen = items.length ? (number + items.length) % items.length : -1;
  items.forEach((item, place) => item.setAttribute("aria-selected", place === chosen));
  if (items[chosen]) items[chosen].scrollIntoView({ block: "nearest" });
}

function show() {
  const words = folded(search.value).split(/\s+/).filter(Boolean);
  const hits = find(search.value);
  found.innerHTML = hits.map(({ page, anchor, heading, text }) =>
    `<li role="option"><a href="${root}${page.name}/index.html${anchor ? "#" + anchor : ""}"><b>${marked(page.title, words)}</b>`
    + `${heading ? " · " + marked(heading, words) : ""}<small>${marked(snippet(text, words), words)}</small></a></li>`).join("")
    || `<li class="none">No page has all of these words.</li>`;
  found.hidden = !words.length;
  search.setAttribute("aria-expanded", String(!found.hidden));
  choose(0);
}

search.addEventListener("input", show);
search.addEventListener("focus", show);
search.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); choose(chosen + (event.key === "ArrowDown" ? 1 : -1)); }
  if (event.key === "Enter") found.querySelector("[aria-selected=true] a")?.click();
  if (event.key === "Escape") { search.value = ""; show(); search.blur(); }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !/^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) { event.preventDefault(); search.focus(); }
});
document.addEventListener("click", (event) => { if (!event.target.closest("[role=search]")) found.hidden = true; });

// --- anchors and copying
for (const heading of document.querySelectorAll("article h2[id], article h3[id]")) {
  heading.insertAdjacentHTML("beforeend", `<a class="anchor" href="#${heading.id}" aria-label="Link to this section">#</a>`);
}
for (const button of document.querySelectorAll(".copy")) {
  button.addEventListener("click", async () => {
    const text = button.closest(".code").querySelector("code").textContent;
    try { await navigator.clipboard.writeText(text); } catch { fallback(text); }
    button.textContent = "copied";
    setTimeout(() => { button.textContent = "copy"; }, 1500);
  });
}
function fallback(text) {
  const area = Object.assign(document.createElement("textarea"), { value: text });
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

// --- the labels of the alert, from the address or typed in, in every query and command. They are names that others gave:
// in a query none ends its string, in a command none is run.
const plain = /^[\w][\w.:/@+-]*$/;
// The same characters as in collector/quotes.py: control characters, and what turns the direction of text.
const steers = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffd]/g;
const code = (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;
const word = (value) => `'${value.replace(steers, "?").replace(/'/g, `'"'"'`)}'`;

// Which quote is open behind a beginning of a script; "$(" begins a level of its own, and # a comment.
function openQuote(script) {
  const levels = [""];
  for (let at = 0; at < script.length; at += 1) {
    const quote = levels[levels.length - 1], sign = script[at];
    if (quote === "'") { if (sign === "'") levels[levels.length - 1] = ""; }
    else if (sign === "\\") at += 1;
    else if (sign === '"') levels[levels.length - 1] = quote ? "" : '"';
    else if (sign === "$" && script[at + 1] === "(") { levels.push(""); at += 1; }
    else if (quote === '"') continue;
    else if (sign === "'") levels[levels.length - 1] = "'";
    else if (sign === ")" && levels.length > 1) levels.pop();
    else if (sign === "#" && /(^|\s)$/.test(script.slice(0, at))) at = (script.indexOf("\n", at) + 1 || script.length + 1) - 1;
  }
  return levels[levels.length - 1];
}

// The value as it has to stand there, or null where it cannot and the name stays.
function valueIn(language, before, value) {
  if (language === "promql") return value.replace(/[\\"]/g, "\\$&").replace(/\n/g, "\\n").replace(steers, code);
  if (language !== "bash") return value.replace(steers, "?");
  const quote = openQuote(before);
  if (plain.test(value)) return quote === "'" ? null : value;
  // Between double quotes a shell still runs and fills in: the value gets single ones of its own.
  return quote === '"' ? `"${word(value)}"` : null;
}

// A text in parts: [part, whether it is a value].
function filled(text, language, values) {
  const exports = language === "bash" && text.startsWith("export ");
  const parts = [];
  let done = 0;
  for (const found of text.matchAll(exports ? /(export (\w+)=)"\.\.\."/g : /()\$(?:(\w+)|\{(\w+)\})/g)) {
    const [all, start, bare, braced] = found, name = bare || braced;
    const given = Object.hasOwn(values, name) ? values[name] : null;
    const value = given === null ? null : exports ? word(given) : valueIn(language, text.slice(0, found.index) + start, given);
    if (value === null) continue;
    parts.push([text.slice(done, found.index) + start, false], [value, true]);
    done = found.index + all.length;
  }
  return [...parts, [text.slice(done), false]];
}

// The same addresses as in alerts/explore.py.
function queries(text) {
  return text.split(/\n\s*\n/).map((block) => block.split("\n").filter((line) => !/^\s*#/.test(line)).join("\n").trim()).filter(Boolean);
}

// Brackets too: an address may stand in Markdown.
const encoded = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

function address(asked) {
  const { place, url, source } = document.body.dataset, base = url.replace(/\/+$/, "");
  if (place === "prometheus") return `${base}/query?${asked.map((query, n) => `g${n}.expr=${encoded(query)}&g${n}.tab=1`).join("&")}`;
  const datasource = { type: "prometheus", uid: source };
  const made = asked.map((expr, n) => ({ refId: String.fromCharCode(65 + n), expr, datasource }));
  const panes = { q: { datasource: source, queries: made, range: { from: "now-6h", to: "now" } } };
  return `${base}/explore?schemaVersion=1&orgId=1&panes=${encoded(JSON.stringify(panes))}`;
}

const labels = document.querySelector(".labels");
if (labels) {
  const blocks = [...document.querySelectorAll("article .code")].map((figure) => {
    const code = figure.querySelector("code");
    return { code, text: code.textContent, language: figure.dataset.language, link: figure.querySelector(".open") };
  });
  const inputs = [...labels.querySelectorAll("input")];
  const given = new URLSearchParams(location.search);
  for (const input of inputs) input.value = given.get(input.name) || given.get(`var-${input.name}`) || "";
  const fill = () => {
    const values = Object.fromEntries(inputs.filter((input) => input.value).map((input) => [input.name, input.value]));
    for (const { code, text, language, link } of blocks) {
      const parts = filled(text, language, values);
      code.innerHTML = parts.map(([part, isValue]) => isValue ? `<var>${escaped(part)}</var>` : escaped(part)).join("");
      if (link) link.href = address(queries(parts.map(([part]) => part).join("")));
    }
  };
  labels.addEventListener("input", fill);
  fill();
}

// --- the index by severity
for (const button of document.querySelectorAll("[data-severity]")) {
  button.addEventListener("click", () => {
    for (const each of document.querySelectorAll("[data-severity]")) each.setAttribute("aria-pressed", String(each === button));
    const wanted = button.dataset.severity;
    for (const item of document.querySelectorAll(".index li")) {
      item.hidden = Boolean(wanted) && !item.dataset.severities.split(" ").includes(wanted);
    }
    for (const section of document.querySelectorAll(".index section")) section.hidden = !section.querySelector("li:not([hidden])");
  });
}
document.body.dataset.ready = "yes";
