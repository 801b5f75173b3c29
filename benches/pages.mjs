#!/usr/bin/env node
// Measures the pages of the admin side with a whole release in: HTML to its last byte, and the first that Chromium paints.
//
// usage: node benches/pages.mjs BINARY SNAPSHOT [ROUNDS]
//
// What it needs of npm and the system is where `cargo test --test browser` left it: run that before. Ends with 1 where a page takes
// longer than it should on two cores that do nothing else.

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const HTML_MS = 50;
const PAINT_MS = 300;
const PAINTS = 5;
const PASSWORD = "a lighthouse in fog";
const PAGES = ["/", "/packages", "/packages?q=aws", "/packages/aws", "/packages/aws/1.23.4", "/changes", "/changes/1", "/plans/2", "/diff?before=nginx@1.4.1&after=nginx@1.5.0", "/transfer",
  "/transfer/quarantine", "/kibanas", "/kibanas/connect", "/kibanas/preflight", "/kibanas/preflight?to=8.5.0", "/distributions", "/distributions/default", "/system", "/system/keys", "/system/people",
  "/system/audit", "/system/settings", "/system/support"];

const [binary, snapshot, rounds = "20"] = process.argv.slice(2);
if (!snapshot) {
  console.error("usage: node benches/pages.mjs BINARY SNAPSHOT [ROUNDS]");
  process.exit(2);
}

const repository = dirname(dirname(fileURLToPath(import.meta.url)));
const scripts = join(process.env.CARGO_TARGET_DIR ?? join(repository, "target"), "tmp/browser-scripts");
if (!existsSync(join(scripts, "node_modules"))) {
  console.error(`nothing at ${scripts}: \`cargo test --test browser\` puts it there`);
  process.exit(2);
}
const { chromium } = createRequire(join(scripts, "package.json"))("playwright-core");
const named = process.env.AIRLOCK_CHROMIUM ?? ["chromium", "chromium-browser", "google-chrome"].flatMap((name) => (process.env.PATH ?? "").split(":").map((folder) => join(folder, name))).find(existsSync);

const median = (all) => all.sort((a, b) => a - b)[Math.floor(all.length / 2)];
const folder = mkdtempSync(join(tmpdir(), "airlock-pages-"));
const airlock = (...args) => execFileSync(binary, ["--data-dir", join(folder, "store"), ...args], { stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });

let server;
let slow = 0;
try {
  airlock("--quiet", "import", "--yes", snapshot);
  airlock("--quiet", "import", "--stage", "--release", "99.0.0", snapshot);
  writeFileSync(join(folder, "password"), `${PASSWORD}\n`);
  airlock("users", "add", "ada", "--role", "admin", "--password-file", join(folder, "password"));
  server = spawn(binary, ["--data-dir", join(folder, "store"), "serve", "--listen", "127.0.0.1:0"], { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, AIRLOCK_LOG_FORMAT: "text" } });
  const address = await new Promise((resolve) => {
    createInterface({ input: server.stderr }).on("line", (line) => {
      const found = line.match(/address=(\S+)/);
      if (found) resolve(`http://${found[1]}`);
    });
  });
  const browser = await chromium.launch({ executablePath: named, args: ["--no-sandbox"] });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.goto(`${address}/admin/login`);
  await page.getByLabel("Name").fill("ada");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL("**/admin/");
  const cookie = (await context.cookies()).map((it) => `${it.name}=${it.value}`).join("; ");
  console.log("| Page | HTML, kB | HTML, ms | longest, ms | first paint, ms |\n|---|---:|---:|---:|---:|");
  for (const path of PAGES) {
    const times = [];
    let bytes = 0;
    let status = 0;
    for (let round = 0; round < Number(rounds); round += 1) {
      const begun = performance.now();
      const answer = await fetch(`${address}/admin${path}`, { headers: { cookie } });
      bytes = (await answer.arrayBuffer()).byteLength;
      status = answer.status;
      times.push(performance.now() - begun);
    }
    const longest = Math.max(...times);
    const paints = [];
    for (let round = 0; round < PAINTS; round += 1) {
      await page.goto(`${address}/admin${path}`);
      paints.push(await page.evaluate(() => new Promise((resolve) => {
        new PerformanceObserver((list) => {
          const paint = list.getEntriesByName("first-contentful-paint")[0];
          if (paint) resolve(paint.startTime);
        }).observe({ type: "paint", buffered: true });
      })));
    }
    const [html, paint] = [median(times), median(paints)];
    const isSlow = html > HTML_MS || paint > PAINT_MS || status !== 200;
    if (isSlow) slow += 1;
    console.log(`| \`${path}\`${status === 200 ? "" : ` (${status})`} | ${(bytes / 1000).toFixed(1)} | ${html.toFixed(1)} | ${longest.toFixed(1)} | ${paint.toFixed(0)} |${isSlow ? " too slow" : ""}`);
  }
  await page.goto(`${address}/admin/packages`);
  const typing = await page.evaluate(async () => {
    const field = document.querySelector("[data-narrow]");
    let longest = 0;
    for (const text of ["a", "aw", "aws", "aw", "a", ""]) {
      const begun = performance.now();
      field.value = text;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      // What is laid out counts, too.
      document.body.getBoundingClientRect();
      longest = Math.max(longest, performance.now() - begun);
    }
    return longest;
  });
  console.log(`\nA letter typed into the list of packages takes ${typing.toFixed(1)} ms at the longest.`);
  await browser.close();
} finally {
  server?.kill();
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = slow > 0 ? 1 : 0;
