// Every page that the server has, looked at once more with all that the story left in it: found by following links, and held against
// the table of pages.

import { env, expect, server, step } from "./browser.mjs";

// Patterns of pages as the server has them, of which a link is enough.
const patterns = env("AIRLOCK_TEST_PAGES").split(" ").filter(Boolean).map((pattern) => ({
  pattern,
  fits: new RegExp(`^/admin${pattern.replace(/\{\w+\}/g, "[^/]+")}$`),
}));
// What is no page to look at: a file, a picture, what is for who is not logged in.
const NO_PAGES = ["/login", "/setup/{link}", "/packages/{name}/{version}/icon", "/system/support.json"];
// What says why it cannot be done: a release that is served is not deleted.
const MAY_REFUSE = ["/system/releases/{release}/delete"];
// What no link leads to: a form does, or a job that is over.
const ASKED = ["/admin/change-distribution?name=test&from=9.2.0", "/admin/diff?before=9.2.0&after=default"];
// Of a pattern with a hundred pages, as many are looked at as differ in kind.
const EACH = 2;

const named = ({ pathname }) => patterns.find((it) => it.fits.test(pathname))?.pattern;

export async function everyPage(person) {
  const seen = new Map();
  const waiting = ["/admin/", ...ASKED].map((path) => [path, "the address bar"]);
  await step("every page is in order for who reads with the eyes, the keyboard or a screen reader, at any width and in the dark", async () => {
    while (waiting.length > 0) {
      const [path, from] = waiting.shift();
      const address = new URL(path, server());
      const pattern = named(address);
      if (!pattern || NO_PAGES.includes(pattern)) continue;
      const places = seen.get(pattern) ?? [];
      if (places.length >= EACH || places.includes(address.pathname)) continue;
      seen.set(pattern, [...places, address.pathname]);
      const isRefused = MAY_REFUSE.includes(pattern);
      const answer = await person.expecting(isRefused ? " answers 409" : "-", () => person.go(path));
      expect(answer.ok() || (isRefused && answer.status() === 409), `${from} leads to ${path}, which answers ${answer.status()}: ${await person.text()}`);
      expect((await person.page.title()).endsWith(" · airlock"), `${address.pathname} has no title`);
      await person.look(`page-${pattern.replace(/[{}]/g, "").replace(/\W+/g, "-").replace(/^-|-$/g, "") || "overview"}-${places.length + 1}`);
      const links = await person.page.locator("a[href]").evaluateAll((all) => all.map((it) => new URL(it.getAttribute("href"), document.baseURI).href));
      for (const link of links) {
        const { origin, pathname, search } = new URL(link);
        expect(origin === new URL(server()).origin, `${address.pathname} leads to another host: ${link}`);
        waiting.push([pathname + search, address.pathname]);
      }
    }
    const missed = patterns.map((it) => it.pattern).filter((it) => !seen.has(it) && !NO_PAGES.includes(it));
    expect(missed.length === 0, `no link leads to ${missed.join(", ")}`);
  });
}
