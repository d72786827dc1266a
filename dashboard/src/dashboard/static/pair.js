"use strict";
document.getElementById("pair").addEventListener("submit", async (event) => {
  event.preventDefault();
  const code = document.getElementById("code").value;
  const answer = await fetch("/pair", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ code }),
  });
  if (answer.ok) { location.href = "/speak"; return; }
  const told = await answer.json();
  document.getElementById("pair-state").textContent = told.error.message;
});
