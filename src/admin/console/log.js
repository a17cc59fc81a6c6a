// The log of an account, as it is written.

import { follow, part, send } from "./api.js";
import { h, say } from "./dom.js";
import { t } from "./words.js";

/** Lines in the page. */
const MOST = 500;
const LEVELS = ["error", "warn", "info", "debug", "trace"];
const TONES = { ERROR: "bad", WARN: "wait", INFO: "good" };
/** Kept while other views are shown. */
const wanted = { level: "info" };

function row(line) {
  const fields = Object.entries(line.fields).map(([name, value]) => ` ${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return h(
    "div",
    { class: "line", "data-level": line.level },
    h("span", { class: "soft" }, `${line.ts.slice(11, 23)} `),
    h("span", { class: "level", "data-tone": TONES[line.level] ?? "off" }, line.level.padEnd(5)),
    h("span", { class: "soft" }, ` ${line.target.replace("botroupe::", "")} `),
    line.message,
    h("span", { class: "soft" }, fields.join("")),
  );
}

/** A part of a page; `end` stops it. */
export function liveLog(account, who) {
  const may = who.scopes.includes("operate");
  const lines = h("div", { class: "log", role: "log", tabindex: 0, "aria-label": t("log.title") });
  const told = h("p", { class: "soft", role: "status" });
  const levels = h("select", { id: "log-level", onchange: () => ((wanted.level = levels.value), begin()) }, LEVELS.map((name) => h("option", { value: name, selected: name === wanted.level }, name)));
  const more = h("button", { type: "button", disabled: !may, onclick: () => detail() }, t("log.more"));
  const element = h(
    "section",
    { class: "card" },
    h("h2", {}, t("log.title")),
    h("div", { class: "row form" }, h("label", { for: "log-level" }, t("log.level"), levels), more, told),
    lines,
  );
  let ending = null;
  let missed = 0;

  async function detail() {
    await send("PUT", "/api/v1/logs/levels", { account, level: "debug", for: "10m" });
    wanted.level = "debug";
    levels.value = "debug";
    say(t("log.detailed"));
    begin();
  }

  /** Lines come in bursts; the page is built once for each. */
  let waiting = [];
  let due = 0;
  function show() {
    due = 0;
    const atEnd = lines.scrollTop + lines.clientHeight >= lines.scrollHeight - 30;
    lines.append(...waiting.slice(-MOST).map(row));
    waiting = [];
    while (lines.childElementCount > MOST) lines.firstElementChild.remove();
    // Who has scrolled up reads.
    if (atEnd) lines.scrollTop = lines.scrollHeight;
    told.textContent = missed > 0 ? t("log.missed", { count: missed }) : "";
  }

  async function keep(signal) {
    let after = "";
    let pause = 500;
    while (!signal.aborted) {
      const on = (name, data, id) => {
        if (name === "hello") pause = 500;
        if (name === "missed") missed += data.missed;
        if (name === "line") {
          waiting.push(data);
          after = id;
        }
        due ||= setTimeout(show, 100);
      };
      try {
        await follow(`/api/v1/logs/stream?account=${part(account)}&level=${wanted.level}`, on, signal, after);
      } catch (error) {
        if (error.status === 409) {
          told.textContent = t("log.none");
          levels.disabled = true;
          more.disabled = true;
        }
        if (error.status) return;
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(pause * 2, 10000);
    }
  }

  function begin() {
    end();
    ending = new AbortController();
    lines.replaceChildren();
    waiting = [];
    missed = 0;
    keep(ending.signal);
  }

  function end() {
    ending?.abort();
    clearTimeout(due);
    due = 0;
  }

  begin();
  return { element, end };
}
