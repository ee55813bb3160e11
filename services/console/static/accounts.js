// The accounts' pages: nothing is asked while nobody looks, what is old is said to be, and a refused
// form shows its first fault.
"use strict";

document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, requestConfig } = event.detail;
  if (document.hidden && elt.matches("[data-asks]") && requestConfig.verb === "get") event.preventDefault();
});

// What is shown stays, and must not look fresh.
function lost(event, isLost) {
  if (event.detail.elt?.id !== "picture") return;
  event.detail.elt.classList.toggle("is-lost", isLost);
  const notice = document.querySelector(".lost");
  if (notice.hidden === !isLost) return;
  notice.hidden = !isLost;
  say(isLost ? notice.textContent : "The console answers again.");
}
for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  document.addEventListener(name, (event) => lost(event, true));
}

// How far the picture can be trusted is said aloud when it changes, not every few seconds.
let told = null;
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "picture") return;
  lost(event, false);
  const now = event.detail.target.querySelector("[data-tells]")?.dataset.tells ?? "";
  if (told !== null && now !== told) say(`What it holds: ${now}`);
  told = now;
});

function fieldOf(form, name) {
  return form.querySelector(`[name="${CSS.escape(name)}"], [data-field="${CSS.escape(name)}"]`);
}

function showFaults() {
  const form = document.getElementById("account-form");
  if (!form) return;
  let first = null;
  for (const said of form.querySelectorAll(".said")) {
    const field = fieldOf(form, said.dataset.for);
    const isWrong = said.querySelector(".wrong") !== null;
    if (isWrong) field?.setAttribute("aria-invalid", "true");
    else field?.removeAttribute("aria-invalid");
    if (isWrong && !first) first = field;
  }
  if (!first) {
    if (form.querySelector("#refusal .notice")) document.getElementById("refusal").scrollIntoView({ block: "center" });
    return;
  }
  const group = first.closest("details");
  if (group) group.open = true;
  first.scrollIntoView({ block: "center" });
  first.focus({ preventScroll: true });
}

document.addEventListener("account-refused", showFaults);
document.addEventListener("DOMContentLoaded", showFaults);
