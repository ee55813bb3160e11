// What every page does in the browser: times in the viewer's zone, copying, dialogs, the keyboard.
// Pages are complete without it, in UTC and with links and forms.
"use strict";

const FORMS = {
  time: new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit" }),
  date: new Intl.DateTimeFormat([], { dateStyle: "medium", timeStyle: "medium" }),
  day: new Intl.DateTimeFormat([], { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" }),
};
const STEPS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

function ago(at) {
  const seconds = (at - Date.now()) / 1000;
  const [unit, length] = STEPS.find(([, length]) => Math.abs(seconds) >= length) || ["second", 1];
  return relative.format(Math.round(seconds / length), unit);
}

// The time alone where it is today's; further back the day matters, and no second.
function recent(at) {
  return FORMS[at.toDateString() === new Date().toDateString() ? "time" : "day"].format(at);
}

const WORDS = { ago, recent };

function showTime(element) {
  const at = new Date(element.dateTime);
  if (Number.isNaN(at.getTime())) return;
  const form = element.dataset.form;
  element.textContent = form in WORDS ? WORDS[form](at) : FORMS[form in FORMS ? form : "date"].format(at);
}

function showTimes(root) {
  if (root.matches && root.matches("time[datetime]")) showTime(root);
  root.querySelectorAll("time[datetime]").forEach(showTime);
}

function say(text) {
  const place = document.getElementById("said");
  if (place) place.textContent = text;
}

async function copy(button) {
  const text = button.dataset.copy ?? document.querySelector(button.dataset.copyFrom)?.textContent ?? "";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without https there is no clipboard for pages: the older way still works.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    (button.closest("dialog") || document.body).append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  const before = button.textContent;
  button.textContent = "Copied";
  say("Copied");
  setTimeout(() => { button.textContent = before; }, 1500);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button, a");
  if (!button) return;
  if (button.matches("[data-copy], [data-copy-from]")) copy(button);
  if (button.dataset.clears) document.querySelector(button.dataset.clears)?.replaceChildren();
  if (button.dataset.opens) {
    event.preventDefault();
    document.querySelector(button.dataset.opens)?.showModal();
  }
  if (button.matches("[data-closes]")) button.closest("dialog")?.close();
});

// `g` and a letter goes to a page, `/` to the search field, `?` tells so.
let waiting = false;
document.addEventListener("keydown", (event) => {
  const field = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.ctrlKey || event.metaKey || event.altKey || field || document.querySelector("dialog[open]")) return;
  if (waiting) {
    waiting = false;
    document.querySelector(`nav a[data-key="${CSS.escape(event.key)}"]`)?.click();
  } else if (event.key === "g") {
    waiting = true;
    setTimeout(() => { waiting = false; }, 1500);
  } else if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (search) { event.preventDefault(); search.focus(); }
  }
});

document.addEventListener("htmx:load", (event) => showTimes(event.detail.elt));
document.addEventListener("DOMContentLoaded", () => showTimes(document.body));
setInterval(() => document.querySelectorAll('time[data-form="ago"]').forEach(showTime), 10000);

// What a part that is gone had asked about itself is not told to the page that took its place.
document.addEventListener("htmx:beforeRequest", (event) => {
  const asking = event.detail.elt;
  if (asking.getAttribute("hx-swap") !== "none") return;
  asking.addEventListener("htmx:beforeOnLoad", (answer) => {
    if (!asking.isConnected) answer.preventDefault();
  }, { once: true });
});
