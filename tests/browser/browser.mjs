// A person at a browser, whose every page is looked at: what its console says, what it asks for, and whether axe-core and the width of
// the screen agree with it.

import { readFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

export const env = (name) => {
  if (!process.env[name]) throw new Error(`${name} is not set: \`cargo test --test browser\` sets it`);
  return process.env[name];
};

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const SCREENS = [
  { name: "1280-light", width: 1280, height: 800, colorScheme: "light" },
  { name: "1280-dark", width: 1280, height: 800, colorScheme: "dark" },
  { name: "390-dark", width: 390, height: 844, colorScheme: "dark" },
  { name: "390-light", width: 390, height: 844, colorScheme: "light" },
];
const PATIENCE_MS = 20_000;
// Pixels of a picture.
const HIGHEST = 5_000;

export const server = () => env("AIRLOCK_TEST_SERVER");
const pictures = env("AIRLOCK_TEST_PICTURES");
mkdirSync(pictures, { recursive: true });

// What is wrong with a page, or did not come as a step expected it: one sentence.
export class Finding extends Error {}

export function expect(holds, sentence) {
  if (!holds) throw new Finding(sentence);
}

// Starts Chromium; what is not the server has no address in it.
export function startChromium() {
  return chromium.launch({
    executablePath: env("AIRLOCK_CHROMIUM"),
    // The sandbox needs namespaces that root in a container does not have.
    args: ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--disable-background-networking", "--disable-component-update"],
  });
}

export class Person {
  // `options` are those of a browser's context.
  static async come(browser, name, options = {}) {
    const person = new Person();
    person.name = name;
    person.findings = [];
    person.expected = [];
    person.context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    person.context.setDefaultTimeout(PATIENCE_MS);
    await person.context.addInitScript(() => {
      window.broken = [];
      addEventListener("securitypolicyviolation", (event) => window.broken.push(`${event.violatedDirective} forbids ${event.blockedURI || "inline"}`));
    });
    person.context.on("request", (request) => person.asks(request));
    person.context.on("requestfailed", (request) => person.fails(request));
    person.context.on("response", (response) => {
      if (response.status() >= 400) person.finds(`${response.request().method()} ${response.url()} answers ${response.status()}`);
    });
    person.context.on("console", (message) => {
      // Of what does not answer well, the answer itself is told.
      if (["error", "warning"].includes(message.type()) && !message.text().startsWith("Failed to load resource")) person.finds(`the console says: ${message.text()}`);
    });
    person.context.on("weberror", (error) => person.finds(`a script ends with: ${error.error().message}`));
    person.context.on("dialog", (dialog) => { person.finds(`a dialog says: ${dialog.message()}`); dialog.dismiss().catch(() => {}); });
    person.page = await person.context.newPage();
    return person;
  }

  asks(request) {
    const address = new URL(request.url());
    if (address.origin !== new URL(server()).origin && !["data:", "blob:"].includes(address.protocol)) this.finds(`it asks another host: ${request.url()}`);
  }

  fails(request) {
    const why = request.failure()?.errorText;
    // A page that is left ends what it was loading.
    if (why === "net::ERR_ABORTED" && request.method() === "GET") return;
    this.finds(`${request.method()} ${request.url()} fails: ${why}`);
  }

  finds(sentence) {
    if (!this.expected.flat().some((part) => sentence.includes(part))) this.findings.push(`${this.page?.url() ?? ""}: ${sentence}`);
  }

  // Runs what is to be refused or broken off: what contains `part`, or one of several, is no finding meanwhile.
  async expecting(part, act) {
    this.expected.push(part);
    try {
      return await act();
    } finally {
      this.expected.pop();
    }
  }

  // Fails with what was found since.
  faultless() {
    const found = this.findings.splice(0);
    // While pages are being written, one wants to see all that is wrong.
    if (process.env.AIRLOCK_TEST_GO_ON && found.length) console.error(`✕ ${found.join("\n  ")}`);
    else expect(found.length === 0, found.join("\n  "));
  }

  go(path) {
    return this.page.goto(server() + path);
  }

  // The path without its parameters.
  path() {
    return new URL(this.page.url()).pathname;
  }

  heading() {
    return this.page.locator("h1").first().innerText();
  }

  text() {
    return this.page.locator("main").innerText();
  }

  async press(name, within = this.page) {
    await within.getByRole("button", { name, exact: true }).click();
    await this.page.waitForLoadState();
  }

  async follow(name, within = this.page) {
    await within.getByRole("link", { name, exact: true }).first().click();
    await this.page.waitForLoadState();
  }

  // Opens what is folded, and returns it.
  async unfold(summary) {
    const fold = this.page.locator("details", { has: this.page.locator("> summary", { hasText: summary }) }).first();
    if (!(await fold.evaluate((it) => it.open))) await fold.locator("> summary").click();
    return fold;
  }

  async logIn(password) {
    await this.page.getByLabel("Name").fill(this.name);
    await this.page.getByLabel("Password").fill(password);
    await this.press("Log in");
  }

  // Looks at the page on every screen; with a name, keeps a picture of each.
  async look(picture) {
    const { page } = this;
    const here = page.url();
    const before = page.viewportSize();
    for (const screen of SCREENS) {
      await page.setViewportSize(screen);
      await page.emulateMedia({ colorScheme: screen.colorScheme });
      if (picture) await this.picture(`${picture}-${screen.name}`, screen);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) this.findings.push(`${here}: at ${screen.name} it is ${wide} px wider than the screen`);
      // All but colours is the same in the dark.
      await this.accessible(here, screen, screen.colorScheme === "dark" ? { type: "rule", values: ["color-contrast"] } : { type: "tag", values: RULES });
    }
    await page.setViewportSize(before);
    await page.emulateMedia({ colorScheme: null });
    for (const broken of await page.evaluate(() => window.broken ?? [])) this.finds(`the policy: ${broken}`);
    this.faultless();
  }

  // Keeps a picture of the page from top to bottom, on a screen as high as it is: what sticks to an edge is at that edge.
  async picture(name, screen) {
    const height = await this.page.evaluate(() => document.documentElement.scrollHeight);
    await this.page.setViewportSize({ width: screen.width, height: Math.max(screen.height, Math.min(height, HIGHEST)) });
    await this.page.screenshot({ path: join(pictures, `${name}.png`), animations: "disabled" });
    await this.page.setViewportSize(screen);
  }

  async accessible(here, screen, runOnly) {
    await this.page.evaluate(`if (!window.axe) { ${axe} }`);
    const violations = await this.page.evaluate(async (runOnly) => {
      const found = await axe.run(document, { runOnly, resultTypes: ["violations"] });
      return found.violations.map((it) => ({ id: it.id, help: it.help, where: it.nodes.slice(0, 3).map((node) => `${node.target.join(" ")} (${node.failureSummary.split("\n").slice(1).join(" ").trim()})`) }));
    }, runOnly);
    for (const it of violations) this.findings.push(`${here}: axe-core at ${screen.name}: ${it.id}, ${it.help}: ${it.where.join("; ")}`);
  }
}

// Runs a step and tells of it in one line.
export async function step(sentence, act) {
  const begun = Date.now();
  try {
    await act();
  } catch (error) {
    const said = error instanceof Finding ? error.message : error.stack;
    console.error(`✕ ${sentence}:\n  ${said}`);
    if (!process.env.AIRLOCK_TEST_GO_ON) process.exit(1);
    process.exitCode = 1;
    return;
  }
  console.log(`✓ ${sentence} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
}
