// Copies what a button names: data-copy="text" or data-copy-from="#id". Says so in the button, for eyes and for readers of the screen.
const SHOWN_MS = 2_000;

async function copy(button) {
  const source = button.dataset.copyFrom && document.querySelector(button.dataset.copyFrom);
  const text = source ? source.textContent : button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
    show(button, "Copied");
  } catch {
    // Without https the browser has no clipboard: select it, so that one key copies it.
    if (source) getSelection().selectAllChildren(source);
    show(button, source ? "Press Ctrl C" : "Not copied");
  }
}

function show(button, word) {
  const label = [...button.childNodes].find((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
  if (!label || button.dataset.copying) return;
  const before = label.textContent;
  button.dataset.copying = "yes";
  button.setAttribute("aria-live", "polite");
  label.textContent = word;
  setTimeout(() => { label.textContent = before; delete button.dataset.copying; }, SHOWN_MS);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (button) copy(button);
});
