// The routes' pages: where the eye goes after something was swapped in, and what belongs to a choice.
"use strict";

function mark(said) {
  // What is said beside a field belongs to it for those who cannot see it.
  const form = document.getElementById("route-form");
  const name = said.dataset.for === "accounts" ? "account" : said.dataset.for;
  const field = form?.querySelector(`[name="${CSS.escape(name)}"]`);
  if (!field) return;
  if (said.querySelector(".wrong")) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

function markAll() {
  document.querySelectorAll("#route-form .said").forEach(mark);
}

function showFirstWrong() {
  markAll();
  const first = document.querySelector("#route-form .said .wrong");
  const summary = document.getElementById("summary");
  if (!first) { summary?.scrollIntoView({ block: "center" }); return; }
  const group = first.closest("details");
  if (group) group.open = true;
  const name = first.closest(".said").dataset.for;
  const field = document.querySelector(`#route-form [name="${CSS.escape(name === "accounts" ? "account" : name)}"]`);
  (field ?? first).scrollIntoView({ block: "center" });
  field?.focus({ preventScroll: true });
}

document.addEventListener("route-refused", showFirstWrong);
document.addEventListener("htmx:oobAfterSwap", (event) => {
  const said = event.detail.target;
  if (said?.dataset?.for) mark(document.getElementById(said.id) ?? said);
});
document.addEventListener("htmx:afterSwap", (event) => {
  const heading = event.target.querySelector?.("[data-focus]") ?? document.querySelector("#trial-dialog[open] [data-focus]");
  // A dialog's content comes after it has opened; a result stays where the button is.
  if (heading && (event.target.id === "main" || event.detail.requestConfig?.verb === "get")
      && event.detail.requestConfig?.path?.startsWith("/routes/")
      && !event.detail.requestConfig.path.endsWith("/latest")) heading.focus();
});
document.addEventListener("DOMContentLoaded", () => {
  markAll();
  const said = document.querySelector("#route-form .said .wrong");
  if (said) showFirstWrong();
});
