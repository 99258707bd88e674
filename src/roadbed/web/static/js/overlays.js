// What opens over the page: dialogs, menus, toasts.
const TOAST_MS = 8_000;
const KNOWS_COMMANDS = "commandForElement" in HTMLButtonElement.prototype;
const STATE_ICONS = { ok: "circle-check-filled", bad: "circle-x-filled", warn: "alert-triangle-filled", off: "help-circle", info: "info-circle-filled" };
const STATE_WORDS = { ok: "Done", bad: "Failed", warn: "Mind", off: "Unknown", info: "Note" };
const STATE_COLOURS = { info: "run" };

// Dialogs: where the browser knows command="show-modal" it opens them itself.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener && !(KNOWS_COMMANDS && opener.hasAttribute("commandfor"))) {
    document.getElementById(opener.dataset.dialog)?.showModal();
  }
  if (opener) opener.closest("[data-menu]")?.removeAttribute("open");
  if (event.target.nodeName === "DIALOG" && isOutside(event.target, event)) event.target.close();
});

function isOutside(dialog, { clientX: x, clientY: y }) {
  const box = dialog.getBoundingClientRect();
  return x < box.left || x > box.right || y < box.top || y > box.bottom;
}

// Menus: one at a time; a click elsewhere or Escape closes, and Escape gives the focus back.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.removeAttribute("open");
  }
});
document.addEventListener("keydown", (event) => {
  const menu = document.querySelector("[data-menu][open]");
  if (!menu) return;
  const items = [...menu.querySelectorAll(".menu a, .menu button")];
  const at = items.indexOf(document.activeElement);
  if (event.key === "Escape") {
    menu.removeAttribute("open");
    menu.querySelector("summary").focus();
  } else if (event.target.matches("input, select, textarea")) {
    return; // a form in a menu has its own use for arrows
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    items.at((at === -1 && step < 0 ? 0 : at + step) % items.length)?.focus();
  }
});

// Toasts: what the server put there, and what scripts say with rb:toast.
const toasts = document.getElementById("toasts");

function leaveLater(note) {
  if (note.dataset.note === "ok" || note.dataset.note === "info") setTimeout(() => note.remove(), TOAST_MS);
}

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${document.querySelector("meta[name=rb-icons]").content}#i-${name}`);
  svg.append(use);
  return svg;
}

document.addEventListener("rb:toast", ({ detail: { kind = "info", title, meta } }) => {
  const word = element("span", { class: "visually-hidden" }, STATE_WORDS[kind]);
  const state = element("span", { class: `state state-${STATE_COLOURS[kind] ?? kind}` }, icon(STATE_ICONS[kind]), word);
  const text = element("div", {}, element("span", { class: "strong" }, title));
  if (meta) text.append(element("div", { class: "meta" }, meta));
  const close = element("button", { class: "btn btn-sm", type: "button", "data-note-close": "", "aria-label": `Close: ${title}` }, icon("x"));
  const note = element("div", { class: "note", "data-note": kind }, state, text, close);
  toasts.append(note);
  leaveLater(note);
});

document.addEventListener("click", (event) => event.target.closest("[data-note-close]")?.closest("[data-note]").remove());
toasts.querySelectorAll("[data-note]").forEach(leaveLater);

// A request of htmx that got no answer at all would else fail in silence.
document.addEventListener("htmx:error", () => {
  document.dispatchEvent(new CustomEvent("rb:toast", { detail: { kind: "off", title: "No connection to Roadbed", meta: "What you see may be old. Reload when it is back." } }));
});
