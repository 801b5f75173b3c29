// What the pages can do more with script: filters as you type, keys, sending files, progress. All reading works without.
"use strict";

const api = "/admin/api/v1";
const by = (id) => document.getElementById(id);
const grouped = (number) => number.toLocaleString("en-US");
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (bytes >= 1000 && unit < units.length - 1) { bytes /= 1000; unit += 1; }
  return `${unit ? bytes.toFixed(2) : bytes} ${units[unit]}`;
}

// Light or dark -------------------------------------------------------------------------------------------------------

function theme() {
  const kept = localStorage.getItem("theme");
  if (kept) document.documentElement.dataset.theme = kept;
  for (const button of document.querySelectorAll("[data-theme-switch]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const root = document.documentElement;
      const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = isDark ? "light" : "dark";
      localStorage.setItem("theme", root.dataset.theme);
    });
  }
}

// Keys ----------------------------------------------------------------------------------------------------------------

function keys() {
  let isGoing = false;
  document.addEventListener("keydown", (event) => {
    const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) || event.target.isContentEditable;
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isGoing) {
      isGoing = false;
      const entry = document.querySelector(`.rail a[data-key="${CSS.escape(event.key)}"]`);
      if (entry) { event.preventDefault(); entry.click(); }
    } else if (event.key === "g") {
      isGoing = true;
      setTimeout(() => { isGoing = false; }, 1500);
    } else if (event.key === "/") {
      event.preventDefault();
      by("search")?.focus();
    } else if (event.key === "?") {
      by("keys")?.showModal();
    }
  });
}

// The lens looks at once ----------------------------------------------------------------------------------------------

function lens() {
  by("lens")?.addEventListener("change", (event) => {
    if (event.target.tagName === "SELECT") event.currentTarget.submit();
  });
}

// Filters as you type -------------------------------------------------------------------------------------------------

function filters() {
  const form = document.querySelector("form[data-filter]");
  const rows = form && document.querySelectorAll(`table[data-rows="${form.dataset.filter}"] tbody tr`);
  const field = form?.querySelector("[data-narrow]");
  if (!field || !rows.length) return;
  const texts = Array.from(rows, (row) => row.dataset.text);
  const shown = form.querySelector("[data-shown]");
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLowerCase();
    let count = 0;
    rows.forEach((row, index) => {
      const fits = texts[index].includes(wanted);
      row.hidden = !fits;
      if (fits) count += 1;
    });
    shown.textContent = `${count} shown`;
    const address = new URL(location.href);
    if (wanted) address.searchParams.set("q", wanted); else address.searchParams.delete("q");
    history.replaceState(null, "", address);
  });
}

// What has to be typed before a change --------------------------------------------------------------------------------

function typed() {
  for (const field of document.querySelectorAll("input[data-typed]")) {
    const button = field.form?.querySelector("button");
    if (!button) continue;
    const look = () => { button.disabled = field.value.trim() !== field.dataset.typed; };
    field.addEventListener("input", look);
    look();
  }
}

// Copying -------------------------------------------------------------------------------------------------------------

function copying() {
  for (const field of document.querySelectorAll(".copy")) {
    const text = field.querySelector("pre");
    if (!text || !navigator.clipboard) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    });
    field.append(button);
  }
}

// Sending a file ------------------------------------------------------------------------------------------------------

async function ask(method, path, csrf, body, type) {
  const headers = { "X-CSRF-Token": csrf };
  if (type) headers["Content-Type"] = type;
  const answer = await fetch(api + path, { method, headers, body });
  const text = await answer.text();
  let said = {};
  try { said = text ? JSON.parse(text) : {}; } catch { said = { error: text.slice(0, 200) }; }
  return { status: answer.status, said };
}

function problem(text) {
  const line = by("upload-problem");
  if (!line) return;
  line.textContent = text;
  line.hidden = !text;
}

// Sends the rest of a file from where the server has it; goes on after a broken connection.
async function send(file, id, csrf, chunkBytes) {
  let failures = 0;
  let offset = null;
  while (offset === null || offset < file.size) {
    try {
      if (offset === null) {
        const { status, said } = await ask("GET", `/uploads/${id}`, csrf);
        if (status !== 200) throw Object.assign(new Error(said.error), { isFinal: status < 500 });
        offset = said.offset;
        continue;
      }
      const chunk = file.slice(offset, offset + chunkBytes);
      const { status, said } = await ask("PUT", `/uploads/${id}?offset=${offset}`, csrf, chunk, "application/octet-stream");
      if (status === 200) { offset = said.offset; failures = 0; problem(""); }
      else if (status === 409 && said.offset !== undefined) { offset = said.offset; await pause(500); }
      else throw Object.assign(new Error(said.error), { isFinal: status < 500 });
    } catch (error) {
      if (error.isFinal) { problem(`${error.message}.`); return; }
      failures += 1;
      offset = null;
      problem(`The connection is lost since ${new Date().toLocaleTimeString()}; it goes on by itself.`);
      await pause(Math.min(500 * 2 ** failures, 15000));
    }
  }
}

function upload() {
  const form = by("upload");
  if (!form) return;
  const field = by("file");
  const button = form.querySelector("button");
  button.disabled = false;
  form.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("over"); });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    if (event.dataTransfer.files.length) field.files = event.dataTransfer.files;
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const file = field.files[0];
    if (!file) return;
    problem("");
    button.disabled = true;
    const where = new FormData(form).get("where");
    const request = { source_name: file.name, bytes: file.size };
    if (where) request[where] = by("name").value.trim();
    const csrf = form.dataset.csrf;
    try {
      const { status, said } = await ask("POST", "/uploads", csrf, JSON.stringify(request), "application/json");
      if (status !== 200) { problem(`${said.error}. Nothing was changed.`); button.disabled = false; return; }
      await showJob(said.id);
      send(file, said.id, csrf, said.chunk_bytes);
    } catch (error) {
      problem(`The server does not answer: ${error.message}. Nothing was changed.`);
      button.disabled = false;
    }
  });
}

// Puts the page of a job in place of this one, so that the file stays at hand.
async function showJob(id) {
  const address = `/admin/jobs/${id}`;
  const text = await (await fetch(address)).text();
  const page = new DOMParser().parseFromString(text, "text/html");
  // A parser runs no script, so that it takes in what is meant for browsers without it: here, to load the page anew.
  page.querySelectorAll("noscript").forEach((it) => it.remove());
  by("main").replaceChildren(...page.getElementById("main").childNodes);
  document.title = page.title;
  history.pushState(null, "", address);
  by("resume")?.remove();
  job();
}

// Progress ------------------------------------------------------------------------------------------------------------

function job() {
  const place = by("job");
  if (!place || place.dataset.state !== "running") return;
  by("file")?.addEventListener("change", (event) => {
    const file = event.target.files[0];
    if (file && file.size !== Number(place.dataset.bytes)) {
      problem(`${file.name} has ${grouped(file.size)} bytes, and ${grouped(Number(place.dataset.bytes))} were announced: it is another file.`);
    } else if (file) {
      by("resume").hidden = true;
      send(file, place.dataset.job, place.dataset.csrf, Number(place.dataset.chunk));
    }
  });
  const events = new EventSource(`${api}/jobs/${place.dataset.job}/events`);
  events.addEventListener("progress", (event) => show(JSON.parse(event.data)));
  events.addEventListener("end", (event) => {
    events.close();
    const report = JSON.parse(event.data);
    show(report);
    const plan = report.result?.plan;
    location.replace(plan === undefined ? location.href : `/admin/plans/${plan}`);
  });
  events.onerror = () => place.classList.add("stale");
  function show(report) {
    place.classList.remove("stale");
    by("state").textContent = report.state === "running" ? "under way" : report.state;
    const progress = report.progress;
    const bar = by("bar");
    if (progress.total_bytes) { bar.max = progress.total_bytes; bar.value = progress.read_bytes; }
    by("read").textContent = progress.total_bytes ? `${size(progress.read_bytes)} of ${size(progress.total_bytes)}` : size(progress.read_bytes);
    for (const name of ["found", "new", "refused"]) by(name).textContent = grouped(progress[name]);
    by("current").textContent = progress.current;
  }
}

theme();
keys();
lens();
filters();
typed();
copying();
upload();
job();
