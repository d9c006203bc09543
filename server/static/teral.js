// The little that pages need beside htmx: say to screen readers what changed, print, copy, and mark a lost connection.
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

document.addEventListener("submit", (event) => {
  // A second tap on a slow link must not send a form twice.
  const button = event.submitter;
  if (event.target.method === "post" && button && !button.name) setTimeout(() => { button.disabled = true; }, 0);
});
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("button:disabled")) button.disabled = false;
});
