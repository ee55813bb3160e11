// The health page: parts of it are asked for again while somebody looks, and what comes is put in
// place piece by piece. What has not changed is not touched: focus, selection and whatever somebody
// has opened stay, and nothing flickers.
"use strict";

(() => {
  const by = (id) => document.getElementById(id);

  // --- the times in charts, which the server has drawn in UTC

  const CHART_FORMS = {
    time: new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" }),
    day: new Intl.DateTimeFormat([], { month: "short", day: "numeric" }),
  };

  function showChartTimes(root) {
    for (const text of root.querySelectorAll("text[data-at]")) {
      const at = new Date(text.dataset.at);
      if (!Number.isNaN(at.getTime())) text.textContent = CHART_FORMS[text.dataset.show].format(at);
    }
  }

  // --- putting what has come in place

  const isSame = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "");

  function become(old, fresh) {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    // It is asked for by itself, or somebody is about to decide there.
    if (old.hasAttribute("data-kept") || old.querySelector(":scope > details.replay[open]")) return;
    for (const { name, value } of fresh.attributes) {
      if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
    }
    becomeWithin(old, fresh);
  }

  function becomeWithin(old, fresh) {
    const ids = new Set([...fresh.children].map((child) => child.id));
    let place = old.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      let found = place;
      while (found && !isSame(found, wanted)) found = found.nextSibling;
      if (!found) {
        old.insertBefore(wanted, place);
      } else {
        // What stands before it goes, unless it comes later: who is moved loses the focus.
        while (place !== found && !(place.id && ids.has(place.id))) {
          const next = place.nextSibling;
          place.remove();
          place = next;
        }
        if (found === place) place = place.nextSibling;
        else old.insertBefore(found, place);
        become(found, wanted);
      }
    }
    while (place) {
      const next = place.nextSibling;
      place.remove();
      place = next;
    }
  }

  htmx.defineExtension("calm", {
    isInlineSwap: (style) => style === "calm",
    handleSwap(style, target, fragment) {
      if (style !== "calm") return false;
      // In the viewer's zone before it is compared: else each time would be written twice.
      showTimes(fragment);
      showChartTimes(fragment);
      const before = document.activeElement;
      const within = target.contains(before);
      becomeWithin(target, fragment);
      if (within && document.activeElement !== before) {
        const place = before.isConnected ? before : target.querySelector("[tabindex='-1']") || by("main");
        place.focus({ preventScroll: true });
      }
      return [...target.children];
    },
  });

  // --- asking again while somebody looks

  let seconds = 0;

  function askAgain() {
    if (document.hidden) return;
    seconds += 1;
    for (const element of document.querySelectorAll("[data-every]")) {
      if (seconds % Number(element.dataset.every) === 0) element.dispatchEvent(new CustomEvent("due"));
    }
  }

  setInterval(askAgain, 1000);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) by("now")?.dispatchEvent(new CustomEvent("due"));
  });

  // --- what is said about it

  let known = null;

  function tell() {
    const state = by("state");
    if (!state) return;
    if (known !== null && known !== state.dataset.key) {
      const troubles = [...document.querySelectorAll(".trouble p:first-child")].map((each) => each.textContent);
      say([by("state-said").textContent, ...troubles].join(". "));
    }
    known = state.dataset.key;
  }

  function away(isAway) {
    const notice = by("now-away");
    if (!notice || notice.hidden === !isAway) return;
    notice.hidden = !isAway;
    notice.textContent = isAway ? "The console does not answer. What stands below is what was seen last." : "";
    by("now").toggleAttribute("data-old", isAway);
  }

  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, (event) => { if (event.target.id === "now") away(true); });
  }
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id !== "now") return;
    away(false);
    tell();
  });
  document.addEventListener("DOMContentLoaded", () => {
    showChartTimes(document.body);
    tell();
  });
})();
