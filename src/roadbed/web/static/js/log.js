// A log: lines are options of a listbox. Click or arrows select, Shift extends, C copies the link; search marks; Wrap wraps.
const WAIT_MS = 150;

for (const log of document.querySelectorAll("[data-log]")) setUp(log);
for (const name of ["htmx:after:swap", "rb:log"]) {
  document.addEventListener(name, () => document.querySelectorAll("[data-log]").forEach(setUp));
}

function setUp(log) {
  if (log.dataset.ready) return;
  log.dataset.ready = "yes";
  const list = log.querySelector("[data-log-lines]");
  const picked = log.querySelector("[data-log-picked]");
  let anchor = null;
  let focus = null;

  const number = (line) => Number(line.dataset.n);
  const selected = () => [...list.querySelectorAll("[aria-selected=true]")];

  function select(from, to) {
    for (const line of selected()) line.setAttribute("aria-selected", "false");
    anchor = from;
    focus = to;
    const [first, last] = from && number(from) > number(to) ? [to, from] : [from, to];
    for (let line = first; line; line = line.nextElementSibling) {
      line.setAttribute("aria-selected", "true");
      if (line === last) break;
    }
    picked.hidden = !from;
    if (!from) return list.removeAttribute("aria-activedescendant");
    log.querySelector("[data-log-range]").textContent = first === last ? `Line ${number(first)}` : `Lines ${number(first)} to ${number(last)}`;
    list.setAttribute("aria-activedescendant", to.id);
    history.replaceState(history.state, "", hash(first, last));
  }

  function hash(first, last) {
    return first === last ? `#${first.id}` : `#${first.id}-${number(last)}`;
  }

  function link() {
    const lines = selected();
    const url = new URL(log.dataset.link ?? location.href, location.href);
    if (lines.length) {
      if (log.dataset.link) url.searchParams.set("line", number(lines[0]));
      url.hash = hash(lines[0], lines.at(-1));
    }
    return url.href;
  }

  async function put(text, title) {
    try {
      await navigator.clipboard.writeText(text);
      toast("ok", title);
    } catch {
      toast("off", "Not copied", "The browser gives the clipboard only over https. The address bar has the link.");
    }
  }

  list.addEventListener("click", (event) => {
    const line = event.target.closest("[role=option]");
    if (line && !getSelection().toString()) select(event.shiftKey && anchor ? anchor : line, line);
  });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    if (step) {
      const next = focus ? focus[step] : list.firstElementChild;
      if (next) {
        select(event.shiftKey && anchor ? anchor : next, next);
        next.scrollIntoView({ block: "nearest" });
      }
      event.preventDefault();
    } else if (event.key.toLowerCase() === "c" && !event.ctrlKey && !event.metaKey) put(link(), "Link copied");
    else if (event.key === "Escape") select(null, null);
  });
  log.querySelector("[data-log-link]").addEventListener("click", () => put(link(), "Link copied"));
  log.querySelector("[data-log-copy]").addEventListener("click", () => put(selected().map((line) => line.textContent).join("\n"), "Lines copied"));
  log.querySelector("[data-log-clear]").addEventListener("click", () => { select(null, null); list.focus(); });
  log.querySelector("[data-log-wrap]").addEventListener("click", ({ currentTarget: button }) => {
    button.setAttribute("aria-pressed", String(list.toggleAttribute("data-wrap")));
  });
  log.querySelector("[data-log-earlier]")?.addEventListener("click", (event) => { event.preventDefault(); showEarlier(event.currentTarget, list); });
  setUpSearch(log, list);
  const wanted = /^#L(\d+)(?:-(\d+))?$/.exec(location.hash);
  const first = wanted && list.querySelector(`#L${wanted[1]}`);
  if (!first) list.scrollTop = list.scrollHeight;
  else {
    select(first, (wanted[2] && list.querySelector(`#L${wanted[2]}`)) || first);
    first.scrollIntoView({ block: "center" });
  }
}

// The fragment is lines; its first may carry data-earlier with the URL of those before.
async function showEarlier(anchor, list) {
  const answer = await fetch(anchor.href, { headers: { "HX-Request": "true" } });
  if (!answer.ok) return toast("bad", "Earlier lines did not come", `The server answered ${answer.status}. Download has the whole log.`);
  const height = list.scrollHeight;
  list.insertAdjacentHTML("afterbegin", await answer.text());
  list.scrollTop += list.scrollHeight - height;
  const next = list.querySelector("[data-earlier]");
  if (next) {
    anchor.href = next.dataset.earlier;
    next.remove();
  } else anchor.hidden = true;
}

function setUpSearch(log, list) {
  const input = log.querySelector("[data-log-search]");
  const found = log.querySelector("[data-log-found]");
  let timer = 0;
  let hits = [];
  let at = -1;

  function go(step) {
    if (!hits.length) return;
    at = (at + step + hits.length) % hits.length;
    hits[at].scrollIntoView({ block: "center" });
    found.textContent = `${at + 1} of ${hits.length}`;
    list.querySelectorAll(".at").forEach((line) => line.classList.remove("at"));
    hits[at].classList.add("at");
  }

  function search() {
    const words = input.value.trim().toLowerCase();
    list.querySelectorAll(".at").forEach((line) => line.classList.remove("at"));
    hits = words ? [...list.children].filter((line) => line.textContent.toLowerCase().includes(words)) : [];
    at = -1;
    found.textContent = words && !hits.length ? "none" : "";
    go(1);
  }

  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, WAIT_MS); });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (hits.length) go(event.shiftKey ? -1 : 1);
    else search();
  });
}

function toast(kind, title, meta) {
  document.dispatchEvent(new CustomEvent("rb:toast", { detail: { kind, title, meta } }));
}
