// The routes' pages: where the eye goes after something was swapped in, and what belongs to a choice.
"use strict";

function fieldOf(form, name) {
  // A secret's field has no name, so that nothing sends it.
  return form.querySelector(`[name="${CSS.escape(name)}"], [data-field="${CSS.escape(name)}"]`);
}

function mark(said) {
  // What is said beside a field belongs to it for those who cannot see it.
  const form = document.getElementById("route-form");
  const name = said.dataset.for === "accounts" ? "account" : said.dataset.for;
  const field = form && fieldOf(form, name);
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
  const field = fieldOf(document.getElementById("route-form"), name === "accounts" ? "account" : name);
  (field ?? first).scrollIntoView({ block: "center" });
  field?.focus({ preventScroll: true });
}

document.addEventListener("route-refused", showFirstWrong);
document.addEventListener("htmx:oobAfterSwap", (event) => {
  const said = event.detail.target;
  if (said?.dataset?.for) mark(document.getElementById(said.id) ?? said);
});
document.addEventListener("htmx:load", (event) => {
  // A new page in place of this one, or a dialog's content, which comes after it has opened.
  const part = event.detail.elt;
  if (part === document.body) return;
  const heading = part.matches("[data-focus]") ? part : part.querySelector("[data-focus]");
  heading?.focus();
});
document.addEventListener("htmx:afterSettle", (event) => {
  // On a phone the result begins below what is seen.
  if (event.detail.target?.id === "trial-result") event.detail.target.scrollIntoView({ block: "nearest" });
});
document.addEventListener("DOMContentLoaded", () => {
  markAll();
  const said = document.querySelector("#route-form .said .wrong");
  if (said) showFirstWrong();
});
