// What every view needs: htmx speaks JSON, troubles are shown as sentences, a finished job shows the new page.
"use strict";

function showTrouble(text) {
  const place = document.getElementById("trouble");
  place.textContent = text;
  place.classList.add("shown");
  clearTimeout(showTrouble.timer);
  showTrouble.timer = setTimeout(() => place.classList.remove("shown"), 12000);
}

async function asked(address, options) {
  const answer = await fetch(address, options);
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.error ? told.error.message : `The page answered ${answer.status}.`);
  return told;
}

function postJson(address, said, options = {}) {
  return asked(address, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(said), ...options,
  });
}

function dropZone() {
  const zone = document.getElementById("drop");
  if (!zone) return;
  const field = zone.querySelector("input[type=file]");
  const send = async (file) => {
    if (!file) return;
    const body = new FormData();
    body.append("file", file);
    try {
      const job = await asked("/api/import", { method: "POST", body });
      followJob(job.id);
    } catch (error) { showTrouble(error.message); }
  };
  field.addEventListener("change", () => send(field.files[0]));
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => { event.preventDefault(); zone.classList.add("over"); });
  }
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    send(event.dataTransfer.files[0]);
  });
}

function followJob(number) {
  htmx.ajax("GET", `/api/jobs/${number}`, { target: "#work", swap: "innerHTML" });
}

htmx.defineExtension("json-enc", {
  onEvent(name, event) {
    if (name === "htmx:configRequest" && event.detail.verb !== "get") {
      event.detail.headers["Content-Type"] = "application/json";
    }
  },
  encodeParameters(_request, parameters, element) {
    const said = {};
    parameters.forEach((value, key) => { said[key] = value; });
    // hx-vals keeps numbers and switches what they are; form fields are text
    return JSON.stringify({ ...said, ...htmx.closest(element, "[data-switch]") ? { value: element.checked } : {} });
  },
});

document.addEventListener("htmx:responseError", (event) => {
  let text = `The page answered ${event.detail.xhr.status}.`;
  try { text = JSON.parse(event.detail.xhr.responseText).error.message; } catch (_) { /* no JSON: the status says it */ }
  showTrouble(text);
});
document.addEventListener("htmx:sendError", () => showTrouble("The page does not answer. Is hrv dashboard still running?"));
document.addEventListener("htmx:afterSwap", (event) => {
  const done = document.querySelector("#work [data-reload]");
  if (done && !done.dataset.seen) {
    done.dataset.seen = "1";
    const target = done.dataset.reload;
    setTimeout(() => { location.href = target; }, 900);
  }
});
document.addEventListener("DOMContentLoaded", dropZone);
