// An alert's journey follows what happens: sections that have changed are replaced, and those that
// somebody has opened stay open. Works in whatever page a journey is put into.
"use strict";

{
  const RETRY_MS = 3000;

  const wake = (element) => {
    window.htmx?.process(element);
    element.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true, detail: { elt: element } }));
  };

  // What somebody has opened in a section, with what was fetched for it.
  const carryOver = (before, after) => {
    for (const old of before.querySelectorAll("details[id]")) {
      const found = after.querySelector(`#${CSS.escape(old.id)}`);
      if (!found) continue;
      if (old.dataset.loaded && old.dataset.keeps) found.replaceWith(old);
      else found.open = old.open;
    }
  };

  const focused = (section) => {
    const element = document.activeElement;
    if (!section.contains(element)) return null;
    if (element.matches("summary") && element.parentElement.id) return `#${CSS.escape(element.parentElement.id)} > summary`;
    if (element.id) return `#${CSS.escape(element.id)}`;
    for (const name of ["href", "data-copy", "data-copy-url", "data-copy-link"]) {
      const value = element.getAttribute(name);
      if (value) return `${element.tagName.toLowerCase()}[${name}="${CSS.escape(value)}"]`;
    }
    return null;
  };

  const patch = (root, fresh) => {
    const parts = [...root.querySelectorAll(":scope > .part")];
    const held = parts.find((part) => part.getBoundingClientRect().bottom > 0);
    const top = held?.getBoundingClientRect().top;
    let last = root.querySelector(":scope > .follow");
    const kept = new Set();
    for (const part of [...fresh.querySelectorAll(":scope > .part")]) {
      kept.add(part.id);
      const before = parts.find((each) => each.id === part.id);
      if (before && before.dataset.version === part.dataset.version) {
        last = before;
        continue;
      }
      if (before) {
        const focus = focused(before);
        carryOver(before, part);
        before.replaceWith(part);
        if (focus) part.querySelector(focus)?.focus({ preventScroll: true });
      } else {
        last.after(part);
      }
      last = part;
      wake(part);
    }
    parts.filter((part) => !kept.has(part.id)).forEach((part) => part.remove());
    const now = held && document.getElementById(held.id);
    if (now && top <= 0) window.scrollBy(0, now.getBoundingClientRect().top - top);
    const told = root.dataset.status;
    for (const name of ["after", "open", "status"]) root.dataset[name] = fresh.dataset[name];
    if (told !== root.dataset.status) say(`Now ${root.dataset.status}: ${root.querySelector(".sentence")?.textContent ?? ""}`);
  };

  class Follower {
    constructor(root) {
      this.root = root;
      this.source = null;
      this.busy = false;
      this.again = false;
      this.late = null;
      if (root.dataset.open === "yes") this.connect();
    }

    tell(state, text) {
      const place = this.root.querySelector(":scope > .follow");
      if (!place) return;
      place.dataset.state = state;
      place.hidden = !text;
      if (place.textContent !== text) place.textContent = text;
    }

    connect() {
      clearTimeout(this.late);
      this.source?.close();
      if (!this.root.isConnected) return;
      const source = new EventSource(`${this.root.dataset.follows}?after=${this.root.dataset.after}`);
      this.source = source;
      source.onopen = () => this.tell("live", "Following live");
      source.onerror = () => {
        source.close();
        if (!this.root.isConnected || this.source !== source) return;
        this.tell("lost", "The connection is lost; what is shown may be old. Trying again.");
        this.late = setTimeout(() => this.connect(), RETRY_MS);
      };
      source.addEventListener("changed", () => (this.root.isConnected ? this.refresh() : source.close()));
      source.addEventListener("over", () => this.stop());
      // The page itself leads to the sign-in, and back here afterwards.
      source.addEventListener("signed-out", () => { source.close(); location.reload(); });
    }

    stop() {
      clearTimeout(this.late);
      this.source?.close();
      this.source = null;
      this.tell("over", "");
    }

    async refresh() {
      if (this.busy) { this.again = true; return; }
      this.busy = true;
      try {
        do {
          this.again = false;
          await this.fetch();
        } while (this.again);
      } finally {
        this.busy = false;
      }
    }

    async fetch() {
      let answer;
      try {
        answer = await fetch(this.root.dataset.refresh, { headers: { "HX-Request": "true" } });
      } catch {
        this.tell("lost", "The console does not answer; what is shown may be old.");
        return;
      }
      if (answer.status === 401) { window.location.reload(); return; }
      const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!answer.ok) {
        this.tell("lost", `What is shown may be old: ${parsed.body.textContent.replace("✕", "").trim()}`);
        return;
      }
      const fresh = parsed.querySelector(".journey");
      if (!fresh) return;
      patch(this.root, document.adoptNode(fresh));
      if (this.source) this.tell("live", "Following live");
      else if (this.root.dataset.open === "yes") this.connect();
    }
  }

  const followers = new WeakMap();

  const begin = (element) => {
    const roots = [...element.querySelectorAll("[data-follows]")];
    if (element.matches?.("[data-follows]")) roots.push(element);
    for (const root of roots) if (!followers.has(root)) followers.set(root, new Follower(root));
  };

  const here = () => [...document.querySelectorAll("[data-follows]")].map((root) => followers.get(root)).filter(Boolean);

  document.addEventListener("DOMContentLoaded", () => begin(document.body));
  document.addEventListener("htmx:load", (event) => begin(event.detail.elt));
  document.addEventListener("htmx:afterSwap", (event) => {
    const details = event.detail.target?.closest?.("details.late");
    if (details) details.dataset.loaded = "yes";
  });
  // What is no longer followed may have gone on meanwhile.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") here().filter((each) => !each.source).forEach((each) => each.refresh());
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy-url], [data-copy-link]");
    if (!button) return;
    let text = new URL(button.dataset.copyLink ?? "", window.location.href).href;
    if (button.dataset.copyUrl) {
      try {
        const answer = await fetch(button.dataset.copyUrl);
        if (!answer.ok) throw new Error(answer.statusText);
        text = await answer.text();
      } catch {
        say("It could not be copied: the console does not answer.");
        return;
      }
    }
    button.dataset.copy = text;
    await copy(button);
    delete button.dataset.copy;
  });
}
