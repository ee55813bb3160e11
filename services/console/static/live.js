// The live page: rows come as the server has rendered them and are put where they belong. Nothing
// moves under somebody who reads: then new rows wait behind a button.
"use strict";

(() => {
  const SILENT_MS = 40000;
  const HIDDEN_MS = 10000;
  const RETRY_MS = 3000;
  const COUNTS_MS = 10000;
  const ROWS_MAX = 3000;
  const CHUNK = 100;

  const by = (id) => document.getElementById(id);
  const seq = (row) => Number(row.dataset.seq);
  const waiting = new Map();
  let source = null;
  let place = null;
  let heardAt = 0;
  let lostAt = null;
  let retry = 0;
  let hiding = 0;
  let counting = 0;

  // --- what is said about the connection

  const clock = (at) => FORMS.time.format(at);

  function show(state, words) {
    const element = by("following");
    if (!element || (element.dataset.state === state && by("following-words").textContent === words)) return;
    element.dataset.state = state;
    by("following-words").textContent = words;
  }

  function lost(why) {
    lostAt = lostAt || new Date();
    show("lost", why || `reconnecting since ${clock(lostAt)}`);
  }

  // --- the stream

  function disconnect() {
    clearTimeout(retry);
    if (source) source.close();
    source = null;
  }

  function connect() {
    disconnect();
    const address = by("list")?.dataset.stream;
    if (!address || document.hidden) return;
    const url = new URL(address, location.href);
    if (place !== null) {
      url.searchParams.set("after", place);
      url.searchParams.set("back", "true");
    }
    heardAt = Date.now();
    source = new EventSource(url);
    for (const [name, take] of Object.entries(EVENTS)) {
      source.addEventListener(name, (event) => {
        heardAt = Date.now();
        take(event.data);
        if (event.lastEventId) place = event.lastEventId;
      });
    }
    source.onerror = () => {
      lost();
      // A browser comes back by itself, unless something answered that is no stream.
      if (source && source.readyState === EventSource.CLOSED) retry = setTimeout(connect, RETRY_MS);
    };
  }

  function live() {
    lostAt = null;
    show("live", "live");
  }

  const EVENTS = {
    hello: live,
    beat: () => {},
    rows: (html) => { takeRows(html); countSoon(); },
    gone: (ids) => { ids.split(" ").forEach(takeAway); countSoon(); },
    "log-away": (at) => show("away", `the log does not answer since ${clock(new Date(at))}: nothing new can come`),
    "log-back": live,
    behind: () => show("behind", "live, but the trail lags behind: some alerts of the last minutes are missing"),
    slow: () => lost(),
    reload,
    problem: (words) => lost(`not followed: ${words}`),
    "signed-out": () => {
      disconnect();
      location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
    },
  };

  function reload() {
    disconnect();
    htmx.ajax("GET", location.pathname + location.search, { target: "#list", swap: "outerHTML" });
  }

  // --- rows

  // Behind the last chunk there may be a place for the next page, which is empty.
  function lastRow() {
    let chunk = by("rows").lastElementChild;
    while (chunk && !chunk.lastElementChild) chunk = chunk.previousElementSibling;
    return chunk?.classList.contains("chunk") ? chunk.lastElementChild : null;
  }

  function next(row) {
    return row.nextElementSibling || row.parentElement.nextElementSibling?.firstElementChild || null;
  }

  // Where the list is scrolled away from its beginning, or a row has the focus.
  function isReading() {
    const top = document.querySelector(".top").getBoundingClientRect().bottom;
    const focused = document.activeElement;
    return by("rows").getBoundingClientRect().top < top - 2 || Boolean(focused?.closest("#rows"));
  }

  function takeRows(html) {
    const box = document.createElement("template");
    box.innerHTML = html;
    for (const row of [...box.content.children]) {
      showTimes(row);
      const shown = by(row.id);
      if (shown) {
        if (Number(shown.dataset.v) < Number(row.dataset.v)) replace(shown, row);
      } else if (waiting.has(row.id) || isReading()) {
        if (isOnPage(row)) waiting.set(row.id, row);
      } else if (isOnPage(row)) {
        insert(row);
      }
    }
    showWaiting();
    trim();
  }

  // What is older than the last row comes with its own page.
  function isOnPage(row) {
    const last = lastRow();
    return by("more").hidden || !last || seq(row) > seq(last);
  }

  function replace(shown, row) {
    const had = shown.contains(document.activeElement);
    row.classList.add("fresh");
    shown.replaceWith(row);
    if (had) row.querySelector("a").focus({ preventScroll: true });
  }

  function insert(row) {
    const chunk = by("rows").querySelector(".chunk");
    row.classList.add("fresh");
    let at = by("rows").querySelector(".chunk > .row");
    while (at && seq(at) > seq(row)) at = next(at);
    if (at) at.before(row);
    else (lastRow()?.parentElement || chunk).append(row);
    by("empty").hidden = true;
    if (chunk.children.length > 2 * CHUNK) split(chunk);
  }

  function split(chunk) {
    const rest = chunk.cloneNode(false);
    rest.append(...[...chunk.children].slice(CHUNK));
    chunk.after(rest);
  }

  function takeAway(id) {
    const row = by(`a${id}`);
    waiting.delete(`a${id}`);
    showWaiting();
    if (!row) return;
    const had = row.contains(document.activeElement);
    const other = next(row) || row.previousElementSibling;
    row.remove();
    if (had && other) other.querySelector("a").focus({ preventScroll: true });
    by("empty").hidden = lastRow() !== null;
  }

  // A page that stays open for days does not grow for ever: what lies behind its end is a page away.
  function trim() {
    const chunks = [...by("rows").querySelectorAll(".chunk")].filter((chunk) => chunk.childElementCount);
    if (isReading() || chunks.length * CHUNK < ROWS_MAX) return;
    chunks.slice(-Math.floor(chunks.length / 2)).forEach((chunk) => chunk.remove());
    const url = new URL(location.href);
    const before = lastRow().dataset.seq;
    url.searchParams.set("before", before);
    by("rows").querySelectorAll(".chunk:empty").forEach((place) => place.remove());
    const place = document.createElement("div");
    place.className = "chunk";
    place.id = `older-${before}`;
    place.setAttribute("role", "rowgroup");
    by("rows").append(place);
    const link = by("more").querySelector("a").cloneNode(true);
    const address = url.pathname + url.search;
    for (const [name, value] of [["href", address], ["hx-get", address], ["hx-target", `#${place.id}`]]) {
      link.setAttribute(name, value);
    }
    by("more").querySelector("a").replaceWith(link);
    by("more").hidden = false;
    htmx.process(link);
  }

  function showWaiting() {
    const button = by("new");
    const count = waiting.size;
    const words = count === 1 ? "1 new alert" : `${count} new alerts`;
    if (button.textContent !== words) button.textContent = words;
    if (button.hidden && count) say(words);
    button.hidden = count === 0;
  }

  function insertWaiting() {
    const rows = [...waiting.values()].sort((one, other) => seq(one) - seq(other));
    waiting.clear();
    rows.forEach(insert);
    showWaiting();
  }

  function countSoon() {
    counting = counting || setTimeout(() => {
      counting = 0;
      if (by("counts")) htmx.trigger("#counts", "refresh");
    }, COUNTS_MS);
  }

  // --- the keyboard and the mouse

  function step(by_) {
    const row = document.activeElement?.closest(".chunk > .row");
    const rows = [...document.querySelectorAll(".chunk > .row")];
    const at = row ? rows.indexOf(row) + by_ : 0;
    const wanted = rows[Math.max(at, 0)];
    if (!wanted) {
      htmx.trigger("#more a", "near");
      return;
    }
    wanted.querySelector("a").focus({ preventScroll: true });
    wanted.scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("keydown", (event) => {
    const field = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (field) {
      if (event.key === "Escape") field.blur();
      return;
    }
    const inRow = document.activeElement?.closest(".chunk > .row");
    const keys = { j: 1, k: -1, ...(inRow ? { ArrowDown: 1, ArrowUp: -1 } : {}) };
    if (event.key in keys) {
      event.preventDefault();
      step(keys[event.key]);
    } else if (event.key === "Escape" && inRow) {
      document.activeElement.blur();
      if (!isReading()) insertWaiting();
    }
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("#new")) {
      window.scrollTo({ top: 0 });
      insertWaiting();
      document.querySelector(".chunk > .row a")?.focus({ preventScroll: true });
      return;
    }
    const row = event.target.closest(".chunk > .row");
    if (row && !event.target.closest("a, button") && getSelection().isCollapsed) row.querySelector("a").click();
  });

  document.addEventListener("scroll", () => {
    // Not before somebody scrolls: most look at the newest alerts alone.
    if (by("more")) nearing.observe(by("more"));
    if (waiting.size && !isReading()) insertWaiting();
  }, { passive: true });

  // --- pages and filters

  const nearing = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting && !entry.target.hidden) htmx.trigger(entry.target.querySelector("a"), "near");
    }
  }, { rootMargin: "1500px" });

  // Who is near already does not come near: it is told anew of a link that could not hear it before.
  function lookAgain(more) {
    nearing.unobserve(more);
    nearing.observe(more);
  }

  document.addEventListener("htmx:configRequest", (event) => {
    const asked = event.detail.parameters;
    if (event.detail.path === "/alerts/counts") asked.offset = String(-new Date().getTimezoneOffset());
    if (event.detail.elt.id !== "filters") return;
    for (const name of ["route", "account", "symbol", "status", "text"]) {
      if (!asked[name]) delete asked[name];
    }
  });

  // Of a list that is new everything is new; of one that has grown only where it goes on.
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id === "list" || event.detail.elt.id === "list") begin();
    if (by("more") && window.scrollY > 0) lookAgain(by("more"));
  });

  function begin() {
    waiting.clear();
    showWaiting();
    place = null;
    const asked = new URLSearchParams(location.search);
    by("clear").hidden = [...asked.values()].every((value) => !value);
    const count = document.querySelectorAll(".chunk > .row").length;
    say(count ? `${count} alerts shown` : "No alert matches");
    connect();
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    // A browser has few connections for all pages of one server, and nobody looks at this one.
    if (document.hidden) hiding = setTimeout(disconnect, HIDDEN_MS);
    else if (!source) connect();
  });
  window.addEventListener("pagehide", disconnect);
  window.addEventListener("pageshow", (event) => { if (event.persisted) connect(); });

  setInterval(() => {
    if (source && Date.now() - heardAt > SILENT_MS) {
      lost();
      connect();
    }
  }, 5000);

  document.addEventListener("DOMContentLoaded", () => {
    if (!by("rows")) return;
    if (by("list").dataset.stream) {
      show("waiting", "connecting");
      connect();
    }
    // What is chosen applies at once.
    document.querySelector("#filters button").hidden = true;
  });
})();
