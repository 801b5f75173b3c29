// Deciding what is offered, and finding out why: lists, reasons, differences, distributions, holds, promotion and the way back.

import { expect, server, step } from "./browser.mjs";

// Asks as Kibanas do.
export async function kibanas(ada) {
  await step("Kibanas that ask are seen, with what they did not get", async () => {
    await ada.go("/admin/kibanas");
    await ada.look("kibanas-none");
    const asks = (path) => fetch(server() + path, { headers: { "User-Agent": "Kibana/9.2.0 node-fetch" } });
    for (const path of ["/search?kibana.version=9.2.0", "/d/test/search?kibana.version=8.19.0", "/package/lighthouse/1.1.0/", "/epr/lighthouse/lighthouse-1.1.0.zip"]) {
      const answer = await asks(path);
      await answer.arrayBuffer();
      expect(answer.ok, `a Kibana that asks for ${path} is answered ${answer.status}`);
    }
    await (await asks("/package/lighthuose/1.1.0/")).arrayBuffer();
    await ada.go("/admin/kibanas");
    expect((await ada.text()).includes("9.2.0"), "a Kibana that asked is not seen");
    await ada.look("kibanas");
  });
}

export async function questions(ada) {
  const { page } = ada;
  await step("the list of packages narrows as one types, and its address keeps it", async () => {
    await ada.go("/admin/packages");
    await ada.look("packages");
    await page.getByRole("searchbox", { name: "Name" }).fill("light");
    const shown = await page.locator("tbody tr:visible").count();
    expect(shown === 1, `${shown} packages are shown for "light"`);
    expect(page.url().includes("q=light"), `the address is ${page.url()}`);
    await ada.go("/admin/packages?q=lihgthouse");
    expect((await ada.text()).includes("Did you mean lighthouse"), "a name that is nearly right is not helped");
    await ada.look("packages-none");
  });
  await step("a package says which Kibana is offered which version, and why not", async () => {
    await ada.go("/admin/packages/lighthouse?kibana=9.2.0");
    await ada.look("package");
    await ada.go("/admin/packages/lighthouse?kibana=7.17.0");
    expect((await ada.text()).includes("Kibana 7.17.0 is offered no version"), "Kibana 7.17.0 is offered something");
    await ada.look("package-hidden");
    await ada.go("/admin/packages/lighthouse/1.1.0");
    await ada.look("package-version");
  });
  await step("two places are compared", async () => {
    await ada.go("/admin/changes");
    await page.getByLabel("What was", { exact: true }).fill("lighthouse@1.0.0");
    await page.getByLabel("What is", { exact: true }).fill("lighthouse@1.1.0");
    await ada.press("Compare");
    await ada.look("diff-versions");
    await ada.go("/admin/diff?before=9.2.0&after=local");
    await ada.look("diff");
  });
}

export async function decisions(ada) {
  const { page } = ada;
  await step("a distribution is made, and serves something else, after a look at what changes", async () => {
    await ada.go("/admin/distributions");
    await page.getByLabel("Name").fill("test");
    await page.getByLabel("Made of").selectOption("9.2.0");
    await ada.press("See what it would serve");
    await ada.look("distribution-new");
    await ada.press("Make test");
    await ada.go("/admin/distributions/test");
    await page.getByLabel("local").check();
    await ada.press("See what would change");
    await ada.look("distribution-change");
    await page.getByRole("button", { name: "Serve this at" }).click();
    await page.waitForLoadState();
    expect((await ada.text()).includes("It is served from now on"), "the page does not say that it is served");
    await ada.look("distribution-set");
    await ada.go("/admin/distributions");
    await ada.look("distributions");
  });
  await step("a version is held back, and let go", async () => {
    await ada.go("/admin/packages/lighthouse?d=test&kibana=9.2.0");
    const offered = () => page.locator("main b.mono").first().innerText();
    const before = await offered();
    const form = await ada.unfold("Hold it back");
    await form.getByLabel("Nothing newer than").selectOption("1.0.0");
    await form.getByLabel("Why").fill("the lamp flickers");
    await ada.press("Hold", form);
    await ada.go("/admin/packages/lighthouse?d=test&kibana=9.2.0");
    expect((await offered()) === "1.0.0", `${await offered()} is offered in spite of the hold`);
    await ada.look("held");
    await ada.go("/admin/distributions/test");
    await ada.look("distribution-held");
    await ada.go("/admin/packages/lighthouse?d=test&kibana=9.2.0");
    await page.locator("input[name=reason][size='16']").fill("it does not");
    await ada.press("Release");
    await ada.go("/admin/packages/lighthouse?d=test&kibana=9.2.0");
    expect((await offered()) === before, `${await offered()} is offered after the hold is released, ${before} was before`);
  });
  await step("a version is promoted from snapshot to staging to production", async () => {
    for (const to of ["staging", "production"]) {
      await ada.go("/admin/packages/lighthouse/1.1.0");
      const form = await ada.unfold(`Promote it to ${to}`);
      await form.getByLabel("Why").fill("it was tried");
      if (to === "staging") await ada.look("promote");
      await ada.press("Promote", form);
      expect(/^\/admin\/changes\/\d+$/.test(ada.path()), `promotion leads to ${ada.path()}`);
    }
    await ada.look("promoted");
    await ada.go("/admin/packages/lighthouse?d=production");
    expect((await ada.text()).includes("1.1.0"), "production does not hold what was promoted");
  });
}

export async function wayBack(ada) {
  await step("one step back undoes a change, once its name is typed", async () => {
    await ada.go("/admin/packages/tide_table/0.1.0");
    const remove = await ada.unfold("Take it out of snapshot");
    await remove.getByLabel("Type").fill("tide_table@0.1.0");
    await ada.press("Take it out", remove);
    expect(/^\/admin\/changes\/\d+$/.test(ada.path()), `taking out leads to ${ada.path()}`);
    const change = Number(ada.path().split("/").pop());
    const back = await ada.unfold("Undo this");
    const button = back.getByRole("button", { name: "Go back" });
    expect(await button.isDisabled(), "one can go back before anything is typed");
    await back.getByLabel("Why").fill("it was needed");
    await back.getByLabel("Type").fill(`back to ${change - 1}`);
    await ada.look("rollback");
    await ada.press("Go back", back);
    expect(ada.path() === `/admin/changes/${change + 1}`, `going back leads to ${ada.path()}`);
    await ada.look("rolled-back");
    await ada.go("/admin/changes");
    await ada.look("changes");
  });
}
