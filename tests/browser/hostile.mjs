// Packages that carry markup and script wherever a package can carry words or files: shown in every page, and opened as they are in the
// browser of somebody who is logged in. Nothing runs, nothing is asked of another host, nothing changes.

import { createServer } from "node:http";
import { join } from "node:path";
import { env, expect, server, step } from "./browser.mjs";
import { packageMembers, writeTar } from "./archives.mjs";
import { ask } from "./entrance.mjs";
import { bring } from "./transfer.mjs";

// Does whatever shows that it ran: a mark, a request elsewhere, a change.
const script = (elsewhere) =>
  `window.pwned=1;console.error('pwned');new Image().src='${elsewhere}/script';fetch('/admin/logout',{method:'POST',credentials:'include'});fetch('/admin/api/v1/branches/hostile',{method:'DELETE',credentials:'include'})`;

const markup = (elsewhere) =>
  `"'><img src=x onerror="${script(elsewhere).replaceAll('"', "&quot;")}"><img src="${elsewhere}/img"><script>${script(elsewhere)}</script><svg onload="pwned=1"></svg>{{7*7}}</title></textarea><a href="javascript:pwned=1">here</a>`;

function hostileSvg(elsewhere) {
  return `<?xml version="1.0"?><?xml-stylesheet href="${elsewhere}/style.css" type="text/css"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="32" height="32" onload="${script(elsewhere)}">
<script>${script(elsewhere)}</script><script xlink:href="${elsewhere}/svg.js"/><script xlink:href="/d/hostile/package/siren/1.0.0/docs/script.js"/><image href="${elsewhere}/image.png" width="9" height="9"/>
<style>@import url("${elsewhere}/import.css"); rect { fill: url("${elsewhere}/fill.svg#x") }</style><use href="${elsewhere}/use.svg#x"/>
<foreignObject width="32" height="32"><body xmlns="http://www.w3.org/1999/xhtml"><iframe src="${elsewhere}/frame"></iframe><form id="f" action="/admin/logout" method="post"></form><script>document.getElementById('f').submit()</script></body></foreignObject>
<a href="javascript:pwned=1"><rect width="32" height="32"/></a><animate attributeName="href" values="javascript:pwned=1"/></svg>`;
}

const hostileHtml = (elsewhere) =>
  `<!doctype html><title>x</title><meta http-equiv="refresh" content="0;url=${elsewhere}/refresh"><link rel="stylesheet" href="${elsewhere}/link.css"><link rel="prefetch" href="${elsewhere}/prefetch">
<body onload="${script(elsewhere)}"><script>${script(elsewhere)}</script><script src="/d/hostile/package/siren/1.0.0/docs/script.js"></script><iframe src="/admin/"></iframe><img src="${elsewhere}/img.png">
<form id="f" action="/admin/logout" method="post"><button>go</button></form><script>document.getElementById('f').submit()</script>`;

const quoted = (text) => JSON.stringify(text);

function hostilePackage(elsewhere) {
  const text = markup(elsewhere);
  const name = `<img src=x onerror=alert(1)>`;
  const manifest = `title: ${quoted(text)}
description: ${quoted(text)}
categories: [custom, ${quoted("<script>pwned=1</script>")}]
icons:
  - src: /img/icon.svg
    title: ${quoted(text)}
    size: 32x32
    type: image/svg+xml
screenshots:
  - src: /img/icon.svg
    title: ${quoted(text)}
    type: image/svg+xml
policy_templates:
  - name: ${quoted(text)}
    title: ${quoted(text)}
    description: ${quoted(text)}
`;
  return [
    ...packageMembers("siren", "1.0.0", manifest, {
      "img/icon.svg": hostileSvg(elsewhere),
      "docs/README.md": `# ${text}\n`,
      "docs/page.html": hostileHtml(elsewhere),
      "docs/page.xhtml": hostileSvg(elsewhere),
      "docs/script.js": script(elsewhere),
      [`docs/${name}.md`]: text,
      "changelog.yml": `- version: 1.0.0\n  changes:\n    - description: ${quoted(text)}\n      type: ${quoted("<b>bugfix")}\n      link: "javascript:pwned=1"\n`,
    }),
    // What cannot be taken is shown in the quarantine, by the name that its folder has.
    [`packages/${name}/1.0.0/manifest.yml`, `name: ${quoted(text)}\nversion: ${quoted(text)}\n`],
    ["packages/shoal/1.0.0/manifest.yml", `format_version: 1.0.0\nname: shoal\nversion: ${quoted(text)}\ntitle: ${quoted(text)}\n`],
  ];
}

// What the policy of an answer forbids is told on the console, and counted as a request that fails before it leaves.
const FORBIDDEN = ["violates the following Content Security Policy", "the console says: Refused", "the console says: Blocked", "the console says: Unsafe", "it asks another host", " answers 40", " fails: "];
const PAGES = ["/", "/packages?d=hostile", "/packages?d=hostile&q=<script>pwned=1</script>", "/packages?d=hostile&category=<script>pwned=1</script>", "/packages/siren?d=hostile",
  "/packages/siren/1.0.0?d=hostile", "/changes", "/diff?before=9.2.0&after=hostile", "/diff?before=9.2.0&after=<script>pwned=1</script>", "/transfer", "/transfer/quarantine", "/kibanas",
  "/distributions", "/distributions/hostile", "/system", "/system/audit", "/system/people"];
const PICTURES = { "/packages?d=hostile": "hostile-packages", "/transfer/quarantine": "hostile-quarantine", "/system/audit": "hostile-audit" };
const FILES = ["img/icon.svg", "docs/page.html", "docs/page.xhtml", "docs/script.js", "docs/README.md", "", "changelog.yml", "manifest.yml"];

async function changes(token) {
  return JSON.stringify(await ask(token, "GET", "/history?limit=100"));
}

export async function hostile(ada, token) {
  const { page } = ada;
  const asked = [];
  const listener = createServer((request, answer) => {
    asked.push(request.url);
    const [type, body] = { "/control.html": ["text/html", hostileHtml(elsewhere)], "/control.svg": ["image/svg+xml", hostileSvg(elsewhere)] }[request.url] ?? ["text/plain", ""];
    answer.setHeader("Content-Type", type).end(body);
  });
  await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const elsewhere = `http://127.0.0.1:${listener.address().port}`;
  const nothingRan = async (where) => {
    await page.waitForTimeout(50);
    expect(!(await page.evaluate(() => window.pwned)), `${where}: a script of a package ran`);
    expect(asked.length === 0, `${where}: ${asked.join(", ")} was asked of another host`);
  };
  await step("what is hostile does run where nothing forbids it", async () => {
    const victim = await (await ada.context.browser().newContext()).newPage();
    for (const control of ["/control.html", "/control.svg"]) {
      asked.length = 0;
      const ran = victim.waitForRequest(`${elsewhere}/script`);
      await victim.goto(elsewhere + control).catch(() => {});
      await ran;
    }
    await victim.context().close();
    asked.length = 0;
  });
  await step("no page runs, loads or sends what a package carries", async () => {
    const path = writeTar(join(env("AIRLOCK_TEST_FOLDER"), "<img src=x onerror=alert(1)>.tar"), hostilePackage(elsewhere));
    await bring(ada, path, "branch", "hostile");
    await nothingRan("its change");
    await ada.look("hostile-change");
    const change = ada.path();
    for (const pagePath of [...PAGES, change.slice("/admin".length)]) {
      await ada.expecting(" answers 40", () => ada.go(`/admin${encodeURI(pagePath)}`));
      await nothingRan(pagePath);
      await page.evaluate(() => document.querySelectorAll("main details").forEach((it) => { it.open = true; }));
      await nothingRan(pagePath);
      const foreign = await page.evaluate(() => {
        const all = [...document.querySelectorAll("main script, main iframe, main object, main foreignObject, main style")];
        for (const it of document.querySelectorAll("main *")) {
          const isActive = [...it.attributes].some(({ name, value }) => name.startsWith("on") || value.trim().toLowerCase().startsWith("javascript:"));
          if (isActive || (it.localName === "img" && !it.getAttribute("src").startsWith("/admin/"))) all.push(it);
        }
        return all.map((it) => it.localName);
      });
      expect(foreign.length === 0, `${pagePath} has ${foreign.join(", ")} of a package in it`);
      ada.faultless();
      const picture = PICTURES[pagePath];
      if (picture) await ada.look(picture);
    }
    await ada.go("/admin/packages/siren?d=hostile");
    await ada.look("hostile-package");
    await ada.go("/admin/packages/siren/1.0.0?d=hostile");
    await ada.look("hostile-version");
  });
  await step("what a package carries does nothing when it is opened as it is", async () => {
    const before = await changes(token);
    const icon = "/admin/packages/siren/1.0.0/icon";
    for (const place of [icon, ...FILES.flatMap((file) => [`/d/hostile/package/siren/1.0.0/${file}`])]) {
      // What is downloaded is no page.
      const answer = await ada.expecting(FORBIDDEN, async () => {
        const answer = await ada.go(place).catch(() => null);
        await nothingRan(place);
        return answer;
      });
      if (answer) {
        const cors = answer.headers()["access-control-allow-origin"];
        const isData = answer.headers()["content-type"].startsWith("application/json");
        expect(isData || answer.headers()["content-security-policy"]?.includes("sandbox"), `${place} is answered without a sandbox`);
        expect(isData || answer.headers()["x-content-type-options"] === "nosniff", `${place} may be taken for what it is not`);
        expect(!place.startsWith("/admin") || cors === undefined, `${place} lets ${cors} read it`);
      }
      ada.faultless();
    }
    await ada.go("/admin/");
    expect(ada.path() === "/admin/", "somebody was logged out by a file of a package");
    expect((await changes(token)) === before, "a file of a package changed something");
    ada.faultless();
  });
  await step("nothing under /admin lets another site read it", async () => {
    for (const path of ["/admin/", "/admin/login", "/admin/static/airlock.js", "/admin/api/v1/status", "/admin/packages/siren/1.0.0/icon", "/admin/api/v1/openapi.json"]) {
      const answer = await ada.context.request.get(server() + path, { headers: { Origin: elsewhere } });
      expect(answer.headers()["access-control-allow-origin"] === undefined, `${path} lets another site read it`);
    }
  });
  listener.close();
}
