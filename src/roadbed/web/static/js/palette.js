// The search palette: opens with / or the topbar; asks /search as one types, and before that what was looked at last; arrows choose, Enter opens, Ctrl Enter in a new tab.
const WAIT_MS = 80;
const dialog = document.getElementById("palette");

if (dialog) {
  const input = dialog.querySelector("input");
  const results = dialog.querySelector("#palette-results");
  const time = dialog.querySelector("[data-palette-time]");
  let timer = 0;
  let pending = null;
  let isOpening = false;

  const options = () => [...results.querySelectorAll("[role=option]")];
  const chosen = () => results.querySelector("[aria-selected=true]");

  function choose(option) {
    chosen()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
  }

  async function ask() {
    pending?.abort();
    pending = new AbortController();
    const query = input.value.trim();
    const started = performance.now();
    try {
      const url = new URL(input.form.action);
      url.searchParams.set("q", query);
      const answer = await fetch(url, { headers: { "HX-Request": "true" }, signal: pending.signal });
      if (!answer.ok) throw new Error(`The search answered ${answer.status}.`);
      const found = await answer.text();
      if (input.value.trim() !== query) return; // more was typed meanwhile, and is asked for
      show(found);
      isOpening = !query;
      time.textContent = `${Math.round(performance.now() - started)} ms`;
    } catch (error) {
      if (error.name === "AbortError") return;
      show("");
      const said = document.createElement("p");
      said.className = "nothing mb-0";
      said.textContent = "The search did not answer. Enter tries it as a page.";
      results.replaceChildren(said);
    }
  }

  function show(html) {
    // Made by our own templates, escaped there; the policy lets no script in it run.
    results.innerHTML = html;
    input.setAttribute("aria-expanded", String(options().length > 0));
    choose(options()[0]);
  }

  function open(event) {
    event.preventDefault();
    if (!dialog.open) dialog.showModal();
    input.focus();
    input.select();
    if (!input.value.trim()) ask(); // what was looked at last
  }

  document.addEventListener("click", (event) => { if (event.target.closest("[data-palette]")) open(event); });
  document.addEventListener("rb:palette", open);
  input.addEventListener("input", () => {
    if (isOpening) show(""); // nobody goes by accident to what stood there before anything was typed
    isOpening = false;
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT_MS);
  });
  dialog.addEventListener("keydown", (event) => {
    const all = options();
    if (!all.length) return;
    const at = all.indexOf(chosen());
    if (event.key === "ArrowDown") choose(all[(at + 1) % all.length]);
    else if (event.key === "ArrowUp") choose(all[(at - 1 + all.length) % all.length]);
    else if (event.key === "Enter" && chosen()) {
      if (event.ctrlKey || event.metaKey) window.open(chosen().href, "_blank", "noopener");
      else location.assign(chosen().href);
    } else return;
    event.preventDefault();
  });
}
