// A drawn graph, explorable: drag, zoom, go from one to the next, see what fails with the chosen one. What is in it is
// said by the drawing of the server, which stays where there is no script.
const region = document.querySelector("[data-graph]");
const SIGNS = { ok: "✓", warn: "▲", bad: "✕", run: "◌", off: "?" };
const MANY = 150;

function say(state, word) {
  return SIGNS[state] ? `${SIGNS[state]} ${word}` : word;
}

if (region && window.cytoscape) explore(region);

function explore(region) {
  const canvas = document.createElement("div");
  canvas.className = "graph-canvas";
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", region.getAttribute("aria-label"));
  canvas.setAttribute("aria-describedby", "graph-keys");
  const nodes = [...region.querySelectorAll(".node")];
  const elements = [...nodes.map(readNode), ...[...region.querySelectorAll("path.edge")].map(readEdge)];
  const chosen = nodes.find((node) => node.hasAttribute("aria-current"))?.dataset.ref ?? region.dataset.graphRoot;
  region.replaceWith(canvas);
  const cy = window.cytoscape({
    container: canvas,
    elements,
    style: makeStyle(),
    layout: { name: "preset", padding: 24 },
    minZoom: 0.05,
    maxZoom: 2.5,
    boxSelectionEnabled: false,
    userZoomingEnabled: false,
    hideEdgesOnViewport: elements.length > 4 * MANY,
    textureOnViewport: nodes.length > MANY,
  });
  show(cy, chosen);
  listen(cy, canvas);
  document.documentElement.dataset.graphReady = "";
}

function readNode(node) {
  const { ref, title, word, state, kind, href, x, y } = node.dataset;
  const label = `${shorten(title)}\n${say(state, word)}`;
  return { group: "nodes", data: { id: ref, title, word, label, state, kind, href, select: node.getAttribute("href") }, position: { x: Number(x) + 82, y: Number(y) + 24 } };
}

function readEdge(edge, number) {
  const { source, target } = edge.dataset;
  return { group: "edges", data: { id: `edge-${number}`, source, target, cycle: "cycle" in edge.dataset ? 1 : 0 } };
}

function shorten(title) {
  return title.length > 24 ? `${title.slice(0, 23)}…` : title;
}

// Colours as the theme has them now: a property may hold both, so the browser is asked for what it makes of it.
function colour(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function makeStyle() {
  const c = Object.fromEntries(["ink", "edge", "card", "sunk", "paint", "ok", "warn", "bad", "run", "muted"].map((name) => [name, colour(`--rb-${name}`)]));
  return [
    { selector: "node", style: { shape: "round-rectangle", "corner-radius": 6, width: 164, height: 48, "background-color": c.card, "border-width": 1, "border-color": c.edge, label: "data(label)", color: c.ink, "font-family": "system-ui, sans-serif", "font-size": 12, "font-weight": 500, "text-wrap": "wrap", "text-valign": "center", "text-halign": "center", "line-height": 1.35, "min-zoomed-font-size": 5 } },
    { selector: "node[kind = 'Resource']", style: { "corner-radius": 23 } },
    { selector: "node[!href]", style: { "border-style": "dashed" } },
    ...["ok", "warn", "bad", "run"].map((state) => ({ selector: `node[state = '${state}']`, style: { color: state === "ok" ? c.ink : c[state], "border-color": state === "warn" || state === "bad" ? c[state] : c.edge, "border-width": state === "warn" || state === "bad" ? 2 : 1 } })),
    { selector: "edge", style: { width: 1.25, "line-color": c.edge, "target-arrow-color": c.edge, "target-arrow-shape": "triangle", "arrow-scale": 0.8, "curve-style": "bezier" } },
    { selector: "edge[cycle = 1]", style: { "line-color": c.warn, "target-arrow-color": c.warn, "line-style": "dashed" } },
    { selector: "node.fails", style: { "border-color": c.ink, "border-width": 2 } },
    { selector: "edge.fails", style: { width: 2.5, "line-color": c.ink, "target-arrow-color": c.ink } },
    { selector: ".faint", style: { opacity: 0.45 } },
    { selector: "node.chosen", style: { "outline-color": c.paint, "outline-width": 5, "outline-offset": 2 } },
  ];
}

// Marks a node, and what fails with it in how many steps.
function show(cy, ref) {
  const node = cy.getElementById(ref);
  if (node.empty()) return node;
  cy.batch(() => {
    cy.elements().removeClass("chosen fails faint");
    cy.nodes().forEach((one) => one.data("label", `${shorten(one.data("title"))}\n${say(one.data("state"), one.data("word"))}`));
    const steps = new Map([[ref, 0]]);
    const waiting = [node];
    for (const one of waiting) {
      for (const edge of one.incomers("edge").toArray()) {
        edge.addClass("fails");
        const source = edge.source();
        if (steps.has(source.id())) continue;
        steps.set(source.id(), steps.get(one.id()) + 1);
        source.addClass("fails");
        source.data("label", `${source.data("label")} · ${steps.get(source.id())}`);
        waiting.push(source);
      }
    }
    node.removeClass("fails").addClass("chosen");
    if (cy.nodes().length > 30) cy.elements().difference(node.closedNeighborhood()).difference(cy.elements(".fails")).addClass("faint");
  });
  return node;
}

async function choose(cy, node) {
  show(cy, node.id());
  const failing = cy.nodes(".fails").length;
  document.getElementById("graph-said").textContent = `${node.data("title")}, ${node.data("word")}. ${failing ? `${failing} shown here fail with it.` : "Nothing shown here fails with it."}`;
  const address = node.data("select").split("#")[0];
  const answer = await fetch(address, { headers: { "HX-Request": "true" } });
  if (!answer.ok || !cy.getElementById(node.id()).hasClass("chosen")) return;
  document.getElementById("chosen").outerHTML = await answer.text();
  history.replaceState(null, "", address);
}

function listen(cy, canvas) {
  cy.on("tap", "node", ({ target }) => choose(cy, target));
  cy.on("dbltap", "node", ({ target }) => open(target));
  canvas.addEventListener("focus", () => cy.userZoomingEnabled(true));
  canvas.addEventListener("blur", () => cy.userZoomingEnabled(false));
  canvas.addEventListener("pointerdown", () => canvas.focus({ preventScroll: true }));
  canvas.addEventListener("keydown", (event) => onKey(cy, event));
  document.addEventListener("click", (event) => {
    const zoom = event.target.closest("[data-graph-zoom]");
    if (zoom) zoomBy(cy, { minus: 0.8, plus: 1.25 }[zoom.dataset.graphZoom]);
    const png = event.target.closest("[data-graph-png]");
    if (png) save(cy, png.dataset.graphPng);
  });
  const restyle = () => cy.style(makeStyle());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restyle);
  new MutationObserver(restyle).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
}

function open(node) {
  if (node.data("href")) location.assign(node.data("href"));
}

function zoomBy(cy, factor) {
  if (factor) cy.zoom({ level: cy.zoom() * factor, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } });
  else cy.fit(undefined, 24);
}

const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function onKey(cy, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const node = cy.nodes(".chosen");
  if (event.key in WAYS) {
    const next = findNext(cy, node, WAYS[event.key]);
    if (next) {
      choose(cy, next);
      cy.animate({ center: { eles: next }, duration: 0 });
    }
  } else if (event.key === "Enter") open(node);
  else if (event.key === "+" || event.key === "-") zoomBy(cy, event.key === "+" ? 1.25 : 0.8);
  else if (event.key === "0") zoomBy(cy);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

// The nearest one in that direction; what lies to the side counts as farther.
function findNext(cy, node, [dx, dy]) {
  const from = node.position();
  let best = null;
  let least = Infinity;
  cy.nodes().forEach((one) => {
    const { x, y } = one.position();
    const ahead = (x - from.x) * dx + (y - from.y) * dy;
    const aside = Math.abs((x - from.x) * dy) + Math.abs((y - from.y) * dx);
    if (ahead > 1 && ahead + 2 * aside < least) [best, least] = [one, ahead + 2 * aside];
  });
  return best;
}

async function save(cy, name) {
  const blob = await cy.png({ output: "blob-promise", full: true, scale: cy.nodes().length > MANY ? 1 : 2, bg: colour("--rb-card"), maxWidth: 8000, maxHeight: 8000 });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
