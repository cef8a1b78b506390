// Niceties only: every page works without this file.
"use strict";

// Ask before what cannot be undone.
document.addEventListener("submit", (event) => {
  const asked = event.submitter && event.submitter.dataset.confirm;
  if (asked && !window.confirm(asked)) event.preventDefault();
});

// On a phone the menu is wider than the window: show where we are.
const current = document.querySelector('nav [aria-current="page"]');
if (current) {
  const bar = current.closest("nav");
  bar.scrollLeft = current.offsetLeft - (bar.clientWidth - current.offsetWidth) / 2;
}

// Copy a secret or a command.
for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    button.textContent = "Copied";
  });
}

// Filters of one choice take effect at once.
for (const form of document.querySelectorAll("form[data-instant]")) {
  form.addEventListener("change", (event) => {
    if (event.target.tagName === "SELECT") form.requestSubmit();
  });
}

// Live tail: rows come ready from the server, which has escaped them.
const tail = document.getElementById("tail");
if (tail && window.EventSource) {
  const rows = tail.querySelector("tbody");
  const said = document.getElementById("tail-said");
  const pause = document.getElementById("tail-pause");
  const most = Number(tail.dataset.rows);
  let source = null;
  const say = (text) => { if (said.textContent !== text) said.textContent = text; };
  const begin = () => {
    source = new EventSource(tail.dataset.source);
    source.addEventListener("open", () => say("Live: new requests appear on top."));
    source.addEventListener("error", () => say(source.readyState === EventSource.CLOSED
      ? "The live tail has ended: load the page again." : "The live tail is interrupted; trying again."));
    source.addEventListener("row", (event) => {
      rows.insertAdjacentHTML("afterbegin", event.data);
      rows.firstElementChild.classList.add("fresh");
      while (rows.children.length > most) rows.lastElementChild.remove();
      document.getElementById("tail-none")?.remove();
    });
  };
  pause.hidden = false;
  pause.addEventListener("click", () => {
    const running = source !== null;
    if (running) { source.close(); source = null; say("Paused."); } else begin();
    pause.textContent = running ? "Resume" : "Pause";
    pause.setAttribute("aria-pressed", String(running));
  });
  begin();
}
