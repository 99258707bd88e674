// Follows a run while it moves. [data-follow] is the URL of its event stream: `line` adds to the log, `step` and `run` let the
// parts of the page with hx-trigger="rb-refresh" fetch themselves again, `end` closes. The browser reconnects by itself.
const REFRESH_MS = 250;
const MOST_LINES = 4_000;
const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
// eslint-disable-next-line no-control-regex
const ESCAPE = /\u001b\[([0-9;]*)([A-Za-z])/g;
const STYLES = { 1: "ansi-bold", 2: "ansi-dim", 3: "ansi-italic", 4: "ansi-underline" };

for (const element of document.querySelectorAll("[data-follow]")) follow(element);

function follow(element) {
  const list = element.querySelector("[data-log-lines]");
  const button = element.querySelector("[data-log-follow]");
  const source = new EventSource(element.dataset.follow);
  let shown = Number(list?.lastElementChild?.dataset.n ?? 0);
  let isFollowing = true;
  let waiting = [];

  // Lines come in bursts: they are added once a frame.
  function flush() {
    const lines = document.createDocumentFragment();
    waiting.forEach((data) => lines.append(makeLine(data)));
    waiting = [];
    list.append(lines);
    if (isFollowing) forgetOldest(element, list);
    if (isFollowing) list.scrollTop = list.scrollHeight;
  }

  source.addEventListener("line", (event) => {
    const data = JSON.parse(event.data);
    const isOurs = list && (!element.dataset.step || data.step_id === element.dataset.step);
    if (!isOurs || data.number <= shown) return;
    shown = data.number;
    if (!waiting.length) requestAnimationFrame(flush);
    waiting.push(data);
  });
  source.addEventListener("step", (event) => {
    const step = JSON.parse(event.data);
    const isNext = step.state === "running" && element.dataset.step && step.id !== element.dataset.step;
    if (isNext && isFollowing && !new URL(location.href).searchParams.has("step")) moveOn(element, source);
    refreshSoon();
  });
  source.addEventListener("run", refreshSoon);
  source.addEventListener("end", () => {
    source.close();
    refreshSoon();
    if (button) button.hidden = true;
    element.querySelector("[data-log-status]")?.replaceChildren();
  });

  button?.addEventListener("click", () => setFollowing(!isFollowing));
  // Scrolling up is a wish to read: it stops following; the end of the log takes it up again.
  list?.addEventListener("wheel", (event) => { if (event.deltaY < 0) setFollowing(false); }, { passive: true });
  list?.addEventListener("scrollend", () => {
    if (list.scrollTop + list.clientHeight >= list.scrollHeight - 8) setFollowing(true);
  });
  if (list) list.scrollTop = list.scrollHeight;

  function setFollowing(value) {
    isFollowing = value;
    if (!button) return;
    button.setAttribute("aria-pressed", String(value));
    button.querySelector("span").textContent = value ? "Stop following" : "Follow";
    if (value) list.scrollTop = list.scrollHeight;
  }
}

// A page that follows for hours does not keep every line: the oldest go, and "Earlier lines" brings them back.
function forgetOldest(element, list) {
  const earlier = element.querySelector("[data-log-earlier]");
  if (list.childElementCount <= MOST_LINES || !earlier?.dataset.before) return;
  while (list.childElementCount > MOST_LINES / 2) list.firstElementChild.remove();
  earlier.href = earlier.dataset.before + list.firstElementChild.dataset.n;
  earlier.hidden = false;
}

// The parts of the page that show the run fetch themselves again, at most four times a second.
let timer = 0;
function refreshSoon() {
  timer ||= setTimeout(() => {
    timer = 0;
    for (const part of document.querySelectorAll('[hx-trigger~="rb-refresh"]')) htmx.trigger(part, "rb-refresh");
  }, REFRESH_MS);
}

// The run went on to its next step: the part of the page with that step's log takes the place of this one, unless the reader
// chose a step or stopped following.
async function moveOn(element, source) {
  source.close();
  const answer = await fetch(location.href);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const part = element.closest('[hx-trigger~="rb-refresh"]') ?? element;
  const next = answer.ok && page.getElementById(part.id);
  if (!next) return follow(element);
  part.replaceWith(next);
  htmx.process(next);
  document.dispatchEvent(new CustomEvent("rb:log"));
  const log = next.matches("[data-follow]") ? next : next.querySelector("[data-follow]");
  if (log) follow(log);
}

function makeLine({ number, text }) {
  const line = document.createElement("li");
  line.id = `L${number}`;
  line.dataset.n = number;
  line.setAttribute("role", "option");
  line.setAttribute("aria-selected", "false");
  const content = document.createElement("span");
  content.append(...colour(text));
  line.append(content);
  return line;
}

// ANSI to spans, with the classes the server uses (roadbed/kit/ansi.py).
function* colour(text) {
  let styles = new Set();
  let from = 0;
  for (const match of text.matchAll(ESCAPE)) {
    if (match.index > from) yield span(text.slice(from, match.index), styles);
    if (match[2] === "m") styles = apply(match[1], styles);
    from = match.index + match[0].length;
  }
  if (from < text.length) yield span(text.slice(from), styles);
}

function apply(codes, before) {
  let styles = new Set(before);
  for (const code of (codes || "0").split(";").map(Number)) {
    if (code === 0) styles = new Set();
    else if (STYLES[code]) styles.add(STYLES[code]);
    else if (code === 22) { styles.delete("ansi-bold"); styles.delete("ansi-dim"); }
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97) || code === 39) {
      styles = new Set([...styles].filter((name) => Object.values(STYLES).includes(name)));
      if (code < 39) styles.add(`ansi-${COLOURS[code - 30]}`);
      else if (code > 39) styles.add(`ansi-bright-${COLOURS[code - 90]}`);
    }
  }
  return styles;
}

function span(text, styles) {
  if (!styles.size) return text;
  const made = document.createElement("span");
  made.className = [...styles].join(" ");
  made.textContent = text;
  return made;
}
