// Stopping: the dialog closes once it is done, and whatever goes wrong is said where one looks.
"use strict";

const NOT_KNOWN = "NOTHING is known to be stopped: the console does not answer. Try again, or stop at the exchange itself.";

function tell(place, text) {
  const notice = document.createElement("p");
  notice.className = "notice bad";
  notice.textContent = text;
  place.replaceChildren(notice);
}

// A dialog covers the page's place for problems, so it has its own.
document.addEventListener("htmx:beforeSwap", (event) => {
  const place = event.detail.requestConfig?.elt.closest("dialog, form")?.querySelector("[data-problem]");
  if (place && event.detail.xhr.status >= 400) event.detail.target = place;
});

document.addEventListener("htmx:beforeRequest", (event) => {
  event.target.closest?.("[data-halts]")?.querySelector("[data-problem]")?.replaceChildren();
});

for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    const form = event.target.closest?.("[data-halts]");
    if (form) tell(form.querySelector("[data-problem]"), NOT_KNOWN);
  });
}

document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest?.("[data-halts]");
  if (!form || event.target !== form || !event.detail.successful) return;
  form.reset();
  form.closest("dialog")?.close();
});

// While the console is away, what stands above the page may be old.
document.addEventListener("htmx:sendError", (event) => {
  if (event.target.id !== "halted" || document.getElementById("halted-away")) return;
  const notice = document.createElement("p");
  notice.id = "halted-away";
  notice.className = "halted unsure";
  notice.textContent = "The console does not answer: what stands here may be old.";
  document.getElementById("banner").append(notice);
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.target.id === "halted" && event.detail.xhr.status > 0) document.getElementById("halted-away")?.remove();
});
