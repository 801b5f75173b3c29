// Coming in and going out: the first admin by a link, wrong and right passwords, people, and what stays in a browser after log-out.

import { Person, env, expect, server, step } from "./browser.mjs";

export const PASSWORD = "a lighthouse in fog";

export async function setUp(browser) {
  const ada = await Person.come(browser, "ada");
  const { page } = ada;
  await step("who is not logged in is asked to, and comes back to where they wanted", async () => {
    await ada.expecting(" answers 40", () => ada.go("/admin/packages"));
    expect(ada.path() === "/admin/login", `an address of the admin side leads to ${ada.path()}`);
    await ada.look("login");
  });
  await step("a set-up link makes the first admin once", async () => {
    const link = env("AIRLOCK_TEST_SETUP");
    await ada.go(link);
    await ada.look("setup");
    await page.getByLabel("Name").fill("ada");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByLabel("The same again").fill("another one altogether");
    await ada.expecting(" answers 4", () => ada.press("Make the admin"));
    expect((await ada.text()).includes("Not done"), "two passwords that differ are not refused");
    await ada.look("setup-refused");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByLabel("The same again").fill(PASSWORD);
    await ada.press("Make the admin");
    expect(ada.path() === "/admin/", `after set-up the browser is at ${ada.path()}`);
    await ada.look("overview-empty");
    await ada.go(link);
    await page.getByLabel("Name").fill("eve");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByLabel("The same again").fill(PASSWORD);
    await ada.expecting(" answers 4", () => ada.press("Make the admin"));
    expect((await ada.text()).includes("Not done"), "a set-up link works twice");
    await ada.look("setup-spent");
  });
  await step("a wrong password is refused, the right one lets in", async () => {
    await ada.go("/admin/");
    await ada.press("Log out");
    expect(ada.path() === "/admin/login", `log-out leads to ${ada.path()}`);
    await ada.expecting(" answers 4", () => ada.logIn("a lighthouse in sun"));
    expect((await ada.text()).includes("Not logged in"), "a wrong password is not refused in words");
    await ada.look("login-refused");
    await ada.logIn(PASSWORD);
    expect(ada.path() === "/admin/", `log-in leads to ${ada.path()}`);
    ada.faultless();
  });
  return ada;
}

// Adds people by the page, and logs them in at browsers of their own.
export async function addPeople(browser, ada) {
  const people = {};
  await step("an admin adds people, who log in", async () => {
    for (const [name, role] of [["paul", "publisher"], ["vera", "approver"]]) {
      await ada.go("/admin/system/people");
      const form = await ada.unfold("Add a person");
      await form.getByLabel("Name").fill(name);
      await form.getByLabel("Role").selectOption(role);
      await form.getByLabel("Password").fill(PASSWORD);
      await form.getByLabel("Once more").fill(PASSWORD);
      await ada.press("Add them", form);
      people[name] = await Person.come(browser, name);
      await people[name].go("/admin/");
      await people[name].logIn(PASSWORD);
      expect(people[name].path() === "/admin/", `${name} cannot log in`);
      people[name].faultless();
    }
    await ada.look("people");
  });
  return people;
}

// Makes a token by the page, and returns it.
export async function makeToken(ada) {
  let secret;
  await step("a token is made, shown once, and good for a program", async () => {
    await ada.go("/admin/system/people");
    const form = await ada.unfold("Make a token");
    await form.getByLabel("What it is for").fill("nightly-import");
    await form.getByLabel("Role").selectOption("admin");
    await ada.press("Make it", form);
    secret = (await ada.page.locator(".copy pre").innerText()).trim();
    expect(/^airlock_\S{40,}$/.test(secret), "the page does not show a token");
    await ada.look("token-made");
    const said = await ask(secret, "GET", "/session");
    expect(said.name.startsWith("ada ") && said.role === "admin", `the token is of ${JSON.stringify(said)}`);
    await ada.go("/admin/system/people");
    expect(!(await ada.page.content()).includes(secret), "a token is shown twice");
    await ada.look("tokens");
  });
  return secret;
}

// Asks the JSON API as a program does.
export async function ask(token, method, path, body) {
  const answer = await fetch(`${server()}/admin/api/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, ...(body && { "Content-Type": "application/json" }) },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  expect(answer.ok, `${method} ${path} answers ${answer.status}: ${text}`);
  return text ? JSON.parse(text) : {};
}

export async function logOut(ada) {
  await step("after log-out the browser shows nothing more, not even backwards", async () => {
    await ada.go("/admin/system/audit");
    await ada.press("Log out");
    await ada.expecting(" answers 40", async () => {
      await ada.page.goBack();
      await ada.page.waitForLoadState();
    });
    expect(ada.path() === "/admin/login", `the back button shows ${ada.path()}`);
    expect(!(await ada.text()).includes("ada"), "the back button shows who was there");
    await ada.look("logged-out");
  });
}
