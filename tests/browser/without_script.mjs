// All reading, log-in and commit work where script does not run.

import { join } from "node:path";
import { Person, env, expect, step } from "./browser.mjs";
import { PASSWORD } from "./entrance.mjs";

const READ = ["/", "/packages", "/packages?q=light", "/packages/lighthouse", "/packages/lighthouse/1.1.0", "/changes", "/changes/1", "/diff?before=9.2.0&after=default",
  "/transfer", "/transfer/quarantine", "/kibanas", "/kibanas/connect", "/kibanas/preflight", "/kibanas/installed", "/distributions", "/distributions/test",
  "/system", "/system/keys", "/system/tls", "/system/people", "/system/audit", "/system/settings", "/system/support"];

// `plan` is the path of a plan that waits.
export async function withoutScript(browser, plan) {
  await step("all reading, log-in and commit work without script", async () => {
    const eve = await Person.come(browser, "ada", { javaScriptEnabled: false });
    await eve.go("/admin/");
    await eve.logIn(PASSWORD);
    expect(eve.path() === "/admin/", `log-in leads to ${eve.path()}`);
    for (const path of READ) {
      await eve.go(`/admin${path}`);
      expect((await eve.text()).length > 60, `${path} says nothing without script`);
      expect(await eve.page.locator("nav.rail a[href]").first().isVisible(), `${path} leads nowhere without script`);
      eve.faultless();
    }
    await eve.go(plan);
    await eve.page.screenshot({ path: join(env("AIRLOCK_TEST_PICTURES"), "plan-without-script.png"), fullPage: true });
    await eve.press("Commit");
    expect(/^\/admin\/changes\/\d+$/.test(eve.path()), `a commit leads to ${eve.path()}`);
    eve.faultless();
    await eve.context.close();
  });
}
