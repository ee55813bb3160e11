// Seals a secret key before it leaves the browser, as libs/common/sealing.py does: an X25519 sealed
// box for the executor, whose public key stands in the page. The field that it is typed into has no
// name, so nothing sends it; where this script fails, nothing of the secret is sent at all.
"use strict";

const OWN_FORM = "form:has([data-keys])";

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

function sealed(text, publicKey) {
  // Vendored: tweetnacl and a sealed box made of it. Both raise where they cannot.
  const box = window.sealedBox.seal(new TextEncoder().encode(text), bytesOf(publicKey));
  return btoa(String.fromCharCode(...box));
}

function sealForm(form) {
  const keys = form.querySelector("[data-keys]");
  const typed = keys.querySelector('[data-field="secret_key"]');
  const box = keys.querySelector('[name="sealed_secret_key"]');
  const text = typed.value.trim();
  if (!text) return;
  box.value = sealed(text, keys.dataset.sealingKey);
  typed.value = "";
  typed.placeholder = "Sealed. Type again to replace it.";
  tell(keys, "Sealed here: what is sent, only the executor can open.");
}

function tell(keys, text, isWrong = false) {
  const place = keys.querySelector("#secret-state");
  place.textContent = text;
  place.classList.toggle("wrong", isWrong);
}

// Before anybody else hears of it, so that what is sent has the box.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches(OWN_FORM)) return;
  try {
    sealForm(form);
  } catch (error) {
    event.preventDefault();
    event.stopImmediatePropagation();
    const keys = form.querySelector("[data-keys]");
    tell(keys, `This browser could not seal the secret (${error.message}): nothing was sent. Load the page again.`, true);
    keys.querySelector('[data-field="secret_key"]').focus();
  }
}, { capture: true });

// A box of what stood there before must not be sent for what stands there now.
document.addEventListener("input", (event) => {
  if (!event.target.matches('[data-field="secret_key"]')) return;
  const keys = event.target.closest("[data-keys]");
  keys.querySelector('[name="sealed_secret_key"]').value = "";
  tell(keys, "");
});
