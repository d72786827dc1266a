// Record with the browser's own recorder, send it to this machine, show what was understood.
"use strict";

(() => {
  const button = document.getElementById("record");
  const label = document.getElementById("record-label");
  const state = document.getElementById("record-state");
  const MOST_S = 300;
  let recorder = null;
  let began = 0;
  let timer = 0;

  function tell(text) { state.textContent = text; }

  function idle() {
    button.setAttribute("aria-pressed", "false");
    button.disabled = false;
    label.textContent = "Record";
    clearInterval(timer);
  }

  async function start() {
    if (!navigator.mediaDevices || !window.MediaRecorder) {
      tell("This browser can't record here. Type it instead, or open the page by its localhost address.");
      return;
    }
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, noiseSuppression: true } });
    } catch (error) {
      tell("The microphone was not allowed. Allow it for this page, then record again; or type it.");
      return;
    }
    const kind = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"].find((k) => MediaRecorder.isTypeSupported(k));
    const pieces = [];
    recorder = new MediaRecorder(stream, kind ? { mimeType: kind } : {});
    recorder.addEventListener("dataavailable", (event) => { if (event.data.size) pieces.push(event.data); });
    recorder.addEventListener("stop", () => {
      stream.getTracks().forEach((track) => track.stop());
      send(new Blob(pieces, { type: recorder.mimeType }));
    });
    recorder.start(1000);
    began = Date.now();
    button.setAttribute("aria-pressed", "true");
    label.textContent = "Stop";
    timer = setInterval(() => {
      const seconds = Math.round((Date.now() - began) / 1000);
      tell(`Recording, ${seconds} s. Press again when you are done.`);
      if (seconds >= MOST_S) recorder.stop();
    }, 500);
  }

  async function send(recording) {
    idle();
    button.disabled = true;
    const body = new FormData();
    body.append("file", recording, "note");
    const day = document.getElementById("day");
    if (day.value && day.value !== day.max) body.append("day", day.value);
    try {
      tell("Writing down what you said …");
      let job = await asked("/api/speak", { method: "POST", body });
      while (job.state === "running") {
        await new Promise((resolve) => setTimeout(resolve, 400));
        job = await asked(`/api/jobs/${job.id}`);
      }
      if (job.state !== "done") throw new Error(job.error ? job.error.message : "It could not be written down.");
      tell("Is that right?");
      await htmx.ajax("GET", `/api/journal/${job.result.entry}`, { target: "#told", swap: "innerHTML" });
      document.getElementById("told").scrollIntoView({ block: "nearest" });
    } catch (error) {
      tell(error.message);
    } finally {
      button.disabled = false;
    }
  }

  button.addEventListener("click", () => {
    if (recorder && recorder.state === "recording") { recorder.stop(); } else { start(); }
  });
})();
