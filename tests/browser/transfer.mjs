// Bringing packages in by a browser: a file is chosen, read as it comes, becomes a plan, and is committed by who may.

import { join } from "node:path";
import { statSync } from "node:fs";
import { env, expect, step } from "./browser.mjs";
import { largePackage, membersOf, packageMembers, writeTar } from "./archives.mjs";
import { ask } from "./entrance.mjs";

const file = (name) => join(env("AIRLOCK_TEST_FOLDER"), name);
const CHUNK_BYTES = 32 * 1024 * 1024;

// Sends a file to a branch or release, and comes to its plan.
export async function upload(person, path, where, name) {
  const { page } = person;
  await person.go("/admin/transfer");
  await page.getByLabel("A file that was carried here").setInputFiles(path);
  if (where) await page.getByLabel(`A ${where}`, { exact: true }).check();
  if (name) await page.getByLabel("Its name").fill(name);
  await person.press("Read it");
}

export const toPlan = (person) => person.page.waitForURL("**/admin/plans/*", { waitUntil: "load" });

// Commits the plan that is shown; returns the number of the change.
export async function commit(person) {
  await person.press("Commit");
  expect(/^\/admin\/changes\/\d+$/.test(person.path()), `a commit leads to ${person.path()}: ${await person.text()}`);
  return Number(person.path().split("/").pop());
}

// Sends a file, and commits what it makes.
export async function bring(person, path, where, name) {
  await upload(person, path, where, name);
  await toPlan(person);
  return commit(person);
}

export async function sampleRelease(ada) {
  const sample = membersOf(env("AIRLOCK_TEST_SAMPLE"), "packages/");
  const path = writeTar(file("sample.tar"), sample);
  await step("the sample is sent, becomes a plan, and is committed as a release", async () => {
    await ada.go("/admin/transfer");
    await ada.look("import");
    await upload(ada, path, "release", "9.2.0");
    await toPlan(ada);
    await ada.look("plan");
    await commit(ada);
    expect((await ada.text()).includes("done"), "the change does not say that it is done");
    await ada.look("change-set");
    await ada.go("/admin/");
    expect((await ada.heading()).includes("9.2.0"), `the overview says: ${await ada.heading()}`);
    await ada.look("overview");
  });
  await step("a release that nothing serves is there to be deleted", async () => {
    await bring(ada, writeTar(file("old.tar"), packageMembers("old_chart", "1.0.0")), "release", "9.1.0");
    await ada.go("/admin/system/releases/9.1.0/delete");
    await ada.look("release-delete");
  });
  await step("what does not say where it belongs is asked about", async () => {
    await upload(ada, path);
    await toPlan(ada);
    await ada.look("plan-place");
    await ada.page.getByLabel("or a branch").fill("snapshot");
    await ada.press("Go on");
    await commit(ada);
  });
  await step("a package that cannot be read goes to quarantine, the rest is taken", async () => {
    const members = [...packageMembers("sea_chart", "1.0.0"), ["packages/torn_chart/1.0.0/manifest.yml", "name: [torn"]];
    await bring(ada, writeTar(file("torn.tar"), members), "branch", "charts");
    await ada.look("change-set-partial");
    await ada.go("/admin/transfer/quarantine");
    expect((await ada.text()).includes("torn_chart"), "the quarantine does not show what was torn");
    await ada.look("quarantine");
  });
  await step("a file that is no archive is refused in words", async () => {
    const path = writeTar(file("notes.txt"), []);
    await upload(ada, path, "release", "9.9.9");
    await ada.page.locator("#job[data-state=ended]").waitFor();
    await ada.page.waitForLoadState();
    expect((await ada.text()).includes("Nothing of it is offered"), "the failure does not say what is untouched");
    await ada.look("job-failed");
  });
}

// More than two chunks, so that a page can be loaded anew between two of them.
export async function interrupted(ada) {
  const path = writeTar(file("atlas.tar"), largePackage("atlas", "1.0.0", 3, 23 * 1024 * 1024));
  expect(statSync(path).size > 2 * CHUNK_BYTES, "the large file is not large enough");
  await step("an upload goes on after its page was loaded anew", async () => {
    const { page } = ada;
    // The third chunk never leaves, as if the network were slow.
    let held;
    const holding = new Promise((resolve) => { held = resolve; });
    await page.route(/\/uploads\/[^?]+\?offset=/, (route) => {
      const offset = Number(new URL(route.request().url()).searchParams.get("offset"));
      if (offset < 2 * CHUNK_BYTES) return route.continue();
      return held(offset);
    });
    await upload(ada, path, "branch", "atlases");
    await holding;
    await page.getByText("67.11 MB of").waitFor();
    expect(/^\/admin\/jobs\//.test(ada.path()), `an upload is shown at ${ada.path()}`);
    await ada.look("upload-progress");
    await ada.expecting("ERR_ABORTED", () => page.reload());
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await ada.look("upload-loaded-anew");
    await page.getByLabel("Choose the same file").setInputFiles(file("sample.tar"));
    await page.getByText("it is another file").waitFor();
    await ada.look("upload-other-file");
    await page.getByLabel("Choose the same file").setInputFiles(path);
    await toPlan(ada);
    expect((await ada.text()).includes("atlas"), "the plan does not show the large package");
    await commit(ada);
    ada.faultless();
  });
}

// Leaves a plan waiting, and returns its path.
export async function waiting(person) {
  await upload(person, writeTar(file("buoy.tar"), packageMembers("buoy", "1.0.0")), "branch", "buoys");
  await toPlan(person);
  return person.path();
}

export async function secondPerson(ada, { paul, vera }, token) {
  await step("a plan for what asks for approval is committed by a second person only", async () => {
    await bring(ada, writeTar(file("harbour-1.tar"), packageMembers("harbour_log", "1.0.0")), "branch", "local");
    await ask(token, "POST", "/distributions", { name: "prod", layers: { from: "9.2.0", with: ["local"], approvals: 1 } });
    const two = writeTar(file("harbour-2.tar"), packageMembers("harbour_log", "1.1.0", "", { "changelog.yml": "- version: 1.1.0\n  changes:\n    - description: Reads the bell.\n      type: enhancement\n      link: https://example.org/1\n" }));
    await upload(vera, two, "branch", "local");
    await toPlan(vera);
    expect((await vera.page.getByRole("button", { name: "Commit" }).count()) === 0, "who staged a plan can commit it");
    await vera.look("approval-own");
    await vera.press("Drop");
    await upload(paul, two, "branch", "local");
    await toPlan(paul);
    expect((await paul.page.getByRole("button", { name: "Commit" }).count()) === 0, "a publisher can commit");
    await paul.look("approval-publisher");
    await vera.go(paul.path());
    await vera.look("approval-approver");
    await commit(vera);
    expect((await vera.text()).includes("vera"), "the change does not say who approved it");
    await vera.look("approval-done");
  });
}
