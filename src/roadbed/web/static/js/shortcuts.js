// Keys: / searches, ? lists the keys, g and a letter goes to a place. They can be turned off (WCAG 2.1.4) and never fire while one types.
const OFF = "roadbed-shortcuts-off";
const SEQUENCE_MS = 1_200;
const dialog = document.getElementById("shortcuts");
let isGoing = false;

if (dialog) {
  const toggle = dialog.querySelector("[data-shortcuts-toggle]");
  toggle.checked = localStorage.getItem(OFF) === null;
  toggle.addEventListener("change", () => {
    if (toggle.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "yes");
  });

  document.addEventListener("keydown", (event) => {
    const types = event.target.closest("input, textarea, select, [contenteditable], dialog[open]");
    if (types || event.ctrlKey || event.metaKey || event.altKey || !toggle.checked) return;
    if (isGoing) return goTo(event);
    if (event.key === "/") {
      document.dispatchEvent(new CustomEvent("rb:palette", { cancelable: true }));
      event.preventDefault();
    } else if (event.key === "?") dialog.showModal();
    else if (event.key === "g") {
      isGoing = true;
      setTimeout(() => { isGoing = false; }, SEQUENCE_MS);
    }
  });
}

function goTo(event) {
  isGoing = false;
  dialog.querySelector(`[data-key="${CSS.escape(event.key)}"]`)?.click();
}
