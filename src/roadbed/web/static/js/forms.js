// Conveniences of forms; each form works without them.
document.addEventListener("click", (event) => {
  const fill = event.target.closest("[data-fill]");
  if (fill) fillIn(fill);
  const add = event.target.closest("[data-list-add]");
  if (add) addLine(add.closest("[data-list]"));
  const remove = event.target.closest("[data-list-remove]");
  if (remove) removeLine(remove);
});

function fillIn(button) {
  const input = document.querySelector(button.dataset.fill);
  input.value = button.dataset.value;
  input.focus();
  input.dispatchEvent(new Event("input", { bubbles: true }));
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

// A list of texts: the last line is the pattern for the next.
function addLine(list) {
  const lines = list.querySelectorAll(".input-group");
  const line = lines[lines.length - 1].cloneNode(true);
  line.querySelector("input").value = "";
  lines[lines.length - 1].after(line);
  numberLines(list);
  line.querySelector("input").focus();
}

function removeLine(button) {
  const list = button.closest("[data-list]");
  const line = button.closest(".input-group");
  if (list.querySelectorAll(".input-group").length === 1) line.querySelector("input").value = "";
  else line.remove();
  numberLines(list);
  list.querySelector("input").focus();
}

function numberLines(list) {
  const label = list.getAttribute("aria-label");
  list.querySelectorAll(".input-group").forEach((line, index) => {
    line.querySelector("input").setAttribute("aria-label", `${label}, ${index + 1}`);
    line.querySelector("button").setAttribute("aria-label", `Remove ${label}, ${index + 1}`);
  });
}

// A destructive button waits for the name; the server checks it again.
function guard(button) {
  const input = button.form?.elements.confirm_name;
  if (input) button.disabled = input.value.trim() !== button.dataset.confirmName;
}
document.querySelectorAll("[data-confirm-name]").forEach(guard);
document.addEventListener("input", (event) => event.target.form?.querySelectorAll("[data-confirm-name]").forEach(guard));

// Filters: a choice submits at once.
document.addEventListener("change", ({ target: { form } }) => form?.hasAttribute("data-auto-submit") && form.requestSubmit());

// A form with errors starts at the list of them.
document.querySelector("[data-focus]")?.focus({ preventScroll: false });
