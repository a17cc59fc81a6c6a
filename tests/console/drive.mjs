// Uses the console in a real browser, as a person would. It is run by tests/it/console.rs:
//
//   node drive.mjs SETTING
//
// SETTING is JSON: the address, a link, a token, a scenario, and where pictures go. Each step that is done is a line on
// standard output; a step that fails ends it with what was seen instead.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const setting = JSON.parse(process.argv[2]);
const require = createRequire(join(setting.packages, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const browser = await chromium.launch({ executablePath: setting.chromium, args: ["--no-sandbox"] });
const mistakes = [];

async function open(options = {}) {
  // What checks accessibility is run by the test and not by the page.
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, locale: "en-GB", ...options });
  const page = await context.newPage();
  page.on("console", (message) => {
    const refused = /the server responded with a status of (401|403|404|409|422)/;
    if (message.type() === "error" && !refused.test(message.text())) mistakes.push(message.text());
  });
  page.on("pageerror", (error) => mistakes.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith(setting.url)) mistakes.push(`it asks ${request.url()}`);
  });
  return page;
}

const done = (step) => console.log(`done: ${step}`);

function must(holds, what) {
  if (!holds) throw new Error(what);
}

/** Serious findings of axe are mistakes. */
async function accessible(page, view) {
  // Evaluated by the debugger, which the policy of the page does not hold.
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const serious = found.violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  const told = serious.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.html).join(" | ")}`);
  must(serious.length === 0, `${view}: ${told.join("\n")}`);
}

async function picture(page, name) {
  if (setting.pictures) await page.screenshot({ path: join(setting.pictures, `${name}.png`) });
}

const row = (page, name) => page.locator(".item", { hasText: name });

const scenarios = {
  async whole() {
    let page = await open();
    await page.goto(setting.url);
    await page.getByLabel("Token").fill("btr_wrong");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("nobody has this token").waitFor();
    await accessible(page, "login");
    await picture(page, "login");
    done("a wrong token is refused with words");

    await page.getByLabel("Token").fill(setting.token);
    await page.getByRole("button", { name: "Log in" }).click();
    await row(page, "echo-bot").waitFor();
    done("a token leads in");

    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Token").fill(setting.sender);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("it needs the scope read").waitFor();
    done("a token that sees nothing is told so");

    page = await open();
    await page.goto(setting.link);
    await row(page, "echo-bot").waitFor();
    must(!page.url().includes("link="), "the link is still in the address");
    const again = await open();
    await again.goto(setting.link);
    await again.getByText("the link was used or is over").waitFor();
    await again.context().close();
    done("a link leads in once");

    await accessible(page, "fleet");
    await picture(page, "fleet");
    await page.locator("#by-state").selectOption("away");
    await page.getByText("No account is like that.").waitFor();
    console.log("now: kick support-2");
    await row(page, "support-2").getByText("held").waitFor();
    await row(page, "support-2").getByText("REST_API_Kick").waitFor();
    done("a kick is seen as it happens");

    const alert = page.locator(".alerts li", { hasText: "support-2" });
    await alert.waitFor();
    await accessible(page, "fleet with an alert");
    await picture(page, "alerts");
    await alert.getByRole("button", { name: "Keep quiet: held" }).click();
    await page.getByLabel("Why").fill("it is mended");
    await accessible(page, "silence");
    await page.getByRole("dialog").getByRole("button", { name: "Keep quiet" }).click();
    await page.getByText("Quiet: held until").getByText("it is mended").waitFor();
    must((await alert.getByRole("button").count()) === 0, "what is quiet can be kept quiet again");
    await page.getByRole("button", { name: "End 1" }).click();
    await alert.getByRole("button").waitFor();
    done("an alert is kept quiet and told again");

    await page.getByRole("grid").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "support-2" }).waitFor();
    await page.locator(".chain li", { hasText: "REST_API_Kick" }).first().waitFor();
    console.log("now: log for support-2");
    await page.locator(".log .line", { hasText: "a line of <b>support-2</b>" }).waitFor();
    must((await page.locator(".log b").count()) === 0, "what is logged became markup");
    must((await page.locator(".log").getByText("of another").count()) === 0, "a line of another account is shown");
    await page.getByRole("button", { name: "More detail" }).click();
    await page.locator(".log .line", { hasText: "in detail" }).waitFor();
    await page.getByRole("heading", { name: "Conversations" }).waitFor();
    await page.getByText("support-2 is not online").waitFor();
    await accessible(page, "account");
    await picture(page, "account");
    done("the log of an account is live");
    await page.getByRole("button", { name: "Resume" }).click();
    await accessible(page, "dialog");
    await page.getByRole("button", { name: "Yes" }).click();
    await page.locator("h1 + .badge", { hasText: "online" }).waitFor();
    done("it is resumed with the keyboard and a confirmation");

    await page.getByRole("button", { name: "Disable counter" }).click();
    await page.getByRole("button", { name: "Yes" }).click();
    await page.getByRole("button", { name: "Enable counter" }).waitFor();
    done("a bot is disabled");

    console.log("now: add an account to the config");
    await page.getByRole("link", { name: "Config" }).click();
    await page.getByRole("button", { name: "Show the plan" }).click();
    await page.locator("tr", { hasText: "newcomer" }).getByText("logs in").waitFor();
    await accessible(page, "config");
    await picture(page, "config");
    await page.getByRole("button", { name: "Apply" }).click();
    await page.getByRole("button", { name: "Yes" }).click();
    await page.getByText("The config is applied.").waitFor();
    await page.getByRole("link", { name: "Fleet" }).click();
    await page.locator("#by-state").selectOption(""); // The filter was kept.
    await row(page, "newcomer").getByText("online").waitFor();
    done("a changed config is applied");

    console.log("now: take an account from the config");
    await page.locator(".item", { hasText: "newcomer" }).waitFor({ state: "detached" });
    must((await row(page, "echo-bot").count()) === 1, "the page has no accounts any more");
    done("an account that left vanishes");

    await page.getByRole("link", { name: "Bots" }).click();
    await page.getByRole("rowheader", { name: "counter" }).waitFor();
    console.log("now: begin dialogues");
    const asked = page.locator("tr", { hasText: "What is your name?" });
    await asked.filter({ hasText: "alice" }).waitFor({ timeout: 10000 });
    await accessible(page, "bots");
    await asked.filter({ hasText: "alice" }).getByRole("button").click();
    await page.getByRole("button", { name: "Yes" }).click();
    await asked.filter({ hasText: "alice" }).waitFor({ state: "detached" });
    must((await asked.filter({ hasText: "bob" }).count()) === 1, "another dialogue has gone");
    done("a dialogue is seen and dropped");

    console.log("now: let a greeter fail");
    await page.getByRole("link", { name: "Fleet" }).click();
    await page.getByRole("link", { name: "Bots" }).click();
    const mistake = page.locator("tr", { hasText: "I was asked by <b>4</b>" });
    await mistake.waitFor({ timeout: 15000 });
    must((await page.locator("main b").count()) === 0, "what a handler said became markup");
    await page.locator("#settings-bot").selectOption("greeter");
    await page.locator("#settings-account").fill("support-3");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    const form = page.getByRole("form", { name: "greeter on support-3" });
    must((await form.locator("input").nth(0).inputValue()) === "Hello", "the form does not show what is set");
    must((await form.getByLabel("api_key").inputValue()) === "", "a secret is shown");
    await form.getByLabel("times").fill("300");
    await form.getByRole("button", { name: "Check" }).click();
    await form.getByText("settings of bot").waitFor();
    await form.getByLabel("times").fill("1");
    await form.getByLabel("tone").selectOption("loud");
    await form.getByRole("button", { name: "Check" }).click();
    await form.getByText("The bot takes them.").waitFor();
    await accessible(page, "settings");
    await form.scrollIntoViewIfNeeded();
    await picture(page, "settings");
    await form.getByRole("button", { name: "Apply" }).click();
    await page.getByRole("button", { name: "Yes" }).click();
    await page.getByText("This account has settings of its own.").waitFor();
    must((await form.getByLabel("times").inputValue()) === "1", "the form does not show the new value");
    await page.evaluate(() => document.querySelector("main").scrollTo(0, 0));
    await picture(page, "bots");
    await page.getByRole("link", { name: "Config" }).click();
    await page.getByRole("button", { name: "Show the plan" }).click();
    await page.locator("tr", { hasText: "support-3" }).waitFor();
    done("settings are tried and given");

    await page.getByRole("link", { name: "Audit" }).click();
    await page.getByText("entries are as they were written").waitFor();
    await page.locator("tr", { hasText: "/orders" }).getByText("resume").waitFor();
    await page.getByLabel("What").fill("dialogues");
    await page.locator("tr", { hasText: "/orders" }).waitFor({ state: "detached" });
    await page.locator("tr", { hasText: "DELETE dialogues/" }).waitFor();
    await accessible(page, "audit");
    await picture(page, "audit");
    done("the audit says who did it");

    await page.getByRole("link", { name: "Outbox" }).click();
    const dead = page.locator("tr", { hasText: "<b>dear</b>" });
    await dead.waitFor();
    must((await page.locator("b").count()) === 0, "what somebody typed became markup");
    await accessible(page, "outbox");
    await picture(page, "outbox");
    await dead.getByRole("button", { name: "Drop" }).click();
    await page.getByRole("button", { name: "Yes" }).click();
    await page.getByText("Nothing is to be sent").waitFor();
    done("a dead letter is dropped");

    await page.getByRole("link", { name: "Talk" }).click();
    await page.getByLabel("With").fill("echo-bot");
    const text = "hello <img src=x onerror=alert(1)> 你好";
    await page.getByLabel("Message").fill(text);
    await page.keyboard.press("Enter");
    await page.locator(".said:not(.own)", { hasText: text }).waitFor();
    must((await page.locator("main img").count()) === 0, "what somebody typed became markup");
    await page.locator("#talk-file").setInputFiles({ name: "red.png", mimeType: "image/png", buffer: Buffer.from(setting.picture, "base64") });
    const drawn = page.locator(".said.own canvas");
    await drawn.waitFor();
    await page.waitForFunction(() => {
      const canvas = document.querySelector(".said.own canvas");
      const [red, green] = canvas?.getContext("2d").getImageData(canvas.width - 1, canvas.height - 1, 1, 1).data ?? [];
      return red > 150 && green < 80;
    });
    done("a picture is shown");
    await page.getByLabel("In the group").fill("ops");
    await page.getByLabel("Message").fill("good morning everybody");
    await page.keyboard.press("Enter");
    await page.locator(".said:not(.own)", { hasText: "good morning everybody" }).waitFor();
    await page.locator(".said:not(.own) .soft", { hasText: "echo-bot" }).waitFor();
    done("a bot answers in a group");
    await page.getByLabel("In the group").fill("");
    await page.getByLabel("Message").focus();
    await drawn.waitFor();
    await accessible(page, "talk");
    await picture(page, "talk");
    done("a bot answers in the console");
    await page.getByRole("button", { name: "Kick: REST_API_Kick" }).click();
    await page.getByRole("button", { name: "Yes" }).click();
    await page.locator("main .badge", { hasText: "held" }).waitFor();
    done("an account is kicked with a button");

    await page.getByRole("combobox", { name: "Language" }).selectOption("zh");
    await page.getByRole("heading", { name: "对话" }).waitFor();
    await page.getByRole("combobox", { name: "外观" }).selectOption("dark");
    await page.setViewportSize({ width: 375, height: 720 });
    for (const name of ["账号", "机器人", "发件箱", "对话", "配置", "审计"]) {
      await page.getByRole("link", { name, exact: true }).click();
      await page.waitForTimeout(100);
      await accessible(page, `${name}, dark, 375 px`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      must(!wide, `${name} is wider than a phone`);
    }
    await page.getByRole("link", { name: "账号", exact: true }).click();
    await row(page, "echo-bot").waitFor();
    await picture(page, "phone");
    done("it is Chinese, dark and fits a phone");

    await page.getByRole("button", { name: "退出" }).click();
    await page.getByLabel("令牌").waitFor();
    must((await page.evaluate(() => sessionStorage.length)) === 0, "the session is kept after the logout");
    done("a logout forgets the session");
  },

  // A page of another site: it may send what it likes, and must neither be heard nor see anything.
  async stranger() {
    const page = await open();
    page.removeAllListeners(); // It is another page, and is refused.
    await page.goto(pathToFileURL(join(setting.packages, "package.json")).href);
    const tried = await page.evaluate(async ({ urls, token }) => {
      const body = JSON.stringify({ user: "support-1", type: 1, order: "hold" });
      const seen = [];
      for (const url of urls) {
        for (const type of ["application/json", "text/plain"]) {
          for (const mode of ["cors", "no-cors"]) {
            const headers = { "Content-Type": type };
            if (mode === "cors") headers.Authorization = `Bearer ${token}`;
            try {
              const answer = await fetch(url, { method: "POST", body, mode, headers });
              if (answer.type !== "opaque") seen.push(`${url} answers ${answer.status}`);
            } catch {
              // That is right.
            }
          }
        }
      }
      return seen;
    }, setting);
    must(tried.length === 0, tried.join("\n"));
    done("a page of another site sees nothing");
  },

  async large() {
    const page = await open();
    await page.goto(setting.link);
    const first = await page.evaluate(
      () =>
        new Promise((resolve) => {
          const look = () => (document.querySelector(".item") ? resolve(performance.now()) : requestAnimationFrame(look));
          look();
        }),
    );
    console.log(`first accounts after ${Math.round(first)} ms`);
    must(first < setting.within, `the first accounts are there after ${first} ms`);
    await page.getByRole("heading", { name: `${setting.accounts} accounts` }).waitFor();
    const rows = await page.locator(".item").count();
    must(rows < 80, `${rows} rows are in the page`);
    await page.getByRole("grid").focus();
    await page.keyboard.press("End");
    await row(page, setting.last).waitFor();
    await page.getByLabel("UserID or pattern (*)").fill(`*${setting.last.slice(-3)}`);
    await row(page, setting.last).waitFor();
    await picture(page, "large");
    done("a large fleet is on one page");
  },
};

// Two apps with an account of the same UserID.
scenarios.apps = async () => {
  const page = await open();
  await page.goto(setting.link);
  await row(page, "shop/desk").waitFor();
  await page.locator("#by-app").selectOption("school");
  await row(page, "shop/desk").waitFor({ state: "detached" });
  await row(page, "school/desk").click();
  await page.getByRole("heading", { name: "school/desk" }).waitFor();
  done("the accounts of an app are found, and one is opened");

  await page.getByRole("button", { name: "Hold" }).click();
  await page.getByRole("dialog").getByText("It logs out.").waitFor();
  await accessible(page, "order");
  await picture(page, "order");
  await page.getByRole("button", { name: "Yes" }).click();
  await page.locator("main .badge", { hasText: "held" }).first().waitFor();
  done("an order says what it would do, and does it");

  await page.getByRole("link", { name: "Talk" }).click();
  await page.locator("#talk-to").fill("shop/desk");
  await page.locator("#talk-to").blur();
  await page.locator("#talk-text").fill("hello");
  await page.locator("#talk-text").press("Enter");
  await page.locator(".talk").getByText("hello").nth(1).waitFor();
  done("a bot of one app answers");
};

// Accounts that are online, and go: how soon a person sees it.
scenarios.online = async () => {
  const page = await open();
  await page.goto(setting.link);
  const first = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const look = () => (document.querySelector(".item") ? resolve(performance.now()) : requestAnimationFrame(look));
        look();
      }),
  );
  await page.getByText(`online ${setting.accounts}`).waitFor();
  const all = await page.evaluate(() => performance.now());
  console.log(`told: first accounts after ${Math.round(first)} ms, all ${setting.accounts} after ${Math.round(all)} ms`);
  must(first < setting.within, `the first accounts are there after ${first} ms`);
  await page.locator("#by-state").selectOption("away");
  const took = [];
  for (const name of setting.kicked) {
    const began = Date.now();
    console.log(`now: kick ${name}`);
    await row(page, name).getByText("held").waitFor({ timeout: 20000 });
    took.push(Date.now() - began);
  }
  // What a scroll costs while changes come.
  await page.locator("#by-state").selectOption("");
  await row(page, setting.last).first().waitFor({ state: "attached", timeout: 1 }).catch(() => {});
  const frames = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const list = document.querySelector(".list");
        const seen = [];
        let last = performance.now();
        const step = (at) => {
          seen.push(at - last);
          last = at;
          list.scrollTop += 400;
          if (seen.length < 120) requestAnimationFrame(step);
          else resolve(seen.slice(1).sort((a, b) => a - b));
        };
        requestAnimationFrame(step);
      }),
  );
  const frame = (share) => Math.round(frames[Math.floor(frames.length * share)] * 10) / 10;
  const heap = await page.evaluate(() => Math.round((performance.memory?.usedJSHeapSize ?? 0) / 2 ** 20));
  console.log(`told: changes after ${took.join(", ")} ms; frames of a scroll p50 ${frame(0.5)} ms, p99 ${frame(0.99)} ms; ${heap} MiB of JavaScript`);
  const middle = [...took].sort((a, b) => a - b)[took.length >> 1];
  must(middle <= 1000, `a change is seen after ${took.join(", ")} ms`);
  await picture(page, "online");
  done("changes of a large fleet are seen at once");
};

try {
  await scenarios[setting.scenario]();
  must(mistakes.length === 0, mistakes.join("\n"));
  console.log("all done");
} catch (error) {
  console.log(`failed: ${error.message}`);
  for (const mistake of mistakes) console.log(`also: ${mistake}`);
  const pages = browser.contexts().flatMap((context) => context.pages());
  console.log(`seen: ${await pages.at(-1)?.locator("body").innerText().catch(() => "")}`.slice(0, 2000));
  await pages.at(-1)?.screenshot({ path: join(setting.pictures ?? ".", "failed.png") }).catch(() => {});
  process.exitCode = 1;
} finally {
  await browser.close();
}
