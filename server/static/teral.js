// The little that pages need beside htmx: say to screen readers what changed, print, copy, press buttons by their keys,
// and mark a lost connection.
"use strict";

const live = () => document.getElementById("live");

function announce() {
  const said = document.querySelector("[data-summary]");
  if (said && live() && live().dataset.said !== said.dataset.summary) {
    live().dataset.said = said.dataset.summary;
    live().textContent = said.dataset.summary;
  }
}

function markStale(isStale) {
  for (const one of document.querySelectorAll("[data-stale]")) one.hidden = !isStale;
}

document.addEventListener("htmx:afterSettle", () => { markStale(false); announce(); });
document.addEventListener("htmx:sendError", () => markStale(true));
document.addEventListener("htmx:responseError", () => markStale(true));

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});

// Keys without a modifier can be switched off: whoever dictates or navigates by letters would press them unawares.
const KEYS_OFF = "teral-keys-off";
const keysSwitch = () => document.querySelector("[data-keys-switch]");

function isWriting(target) {
  return target.closest("textarea, select, input:not([type=checkbox], [type=radio])") !== null;
}

// Who presses a key twice means this page, and would answer the next one unseen.
const SEEN_MS = 300;
let shownAt = performance.now();

if (keysSwitch()) keysSwitch().checked = localStorage.getItem(KEYS_OFF) === null;

document.addEventListener("change", (event) => {
  if (event.target !== keysSwitch()) return;
  if (event.target.checked) localStorage.removeItem(KEYS_OFF);
  else localStorage.setItem(KEYS_OFF, "1");
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || isWriting(event.target)) return;
  if (performance.now() - shownAt < SEEN_MS) return;
  const button = keysSwitch() && keysSwitch().checked && document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!button) return;
  event.preventDefault();
  button.click();
  if (button.hash) document.querySelector(button.hash).focus();
});

document.addEventListener("submit", (event) => {
  // A second tap on a slow link, or on another answer, must not send a form twice. What is sent names the button by now.
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  setTimeout(() => { for (const one of form.querySelectorAll("button")) one.disabled = true; }, 0);
});
window.addEventListener("pageshow", () => {
  shownAt = performance.now();
  for (const button of document.querySelectorAll("button:disabled")) button.disabled = false;
});
