// All that is tried in a browser, in order: each step starts from what the one before left.

import { startChromium } from "./browser.mjs";
import { addPeople, logOut, makeToken, setUp } from "./entrance.mjs";
import { everyPage } from "./every_page.mjs";
import { hostile } from "./hostile.mjs";
import { interrupted, sampleRelease, secondPerson, waiting } from "./transfer.mjs";
import { withoutScript } from "./without_script.mjs";
import { decisions, kibanas, questions, wayBack } from "./offering.mjs";

const browser = await startChromium();
const ada = await setUp(browser);
await sampleRelease(ada);
const people = await addPeople(browser, ada);
const token = await makeToken(ada);
await secondPerson(ada, people, token);
await questions(ada);
await decisions(ada);
await kibanas(ada);
await wayBack(ada);
await interrupted(ada);
const plan = await waiting(people.paul);
await everyPage(ada);
await hostile(ada, token);
await withoutScript(browser, plan);
await logOut(ada);
await browser.close();
