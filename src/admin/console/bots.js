// The bots of the program: what their handlers have done, their mistakes, their settings, and the dialogues that wait.

import { get, part } from "./api.js";
import { dialogueTable } from "./dialogues.js";
import { h } from "./dom.js";
import { accounts } from "./fleet-store.js";
import { settingsForm } from "./settings.js";
import { clock, t } from "./words.js";

const COLUMNS = ["name", "count", "done", "failed", "running", "waiting", "p50", "p99", "longest", "show"];

/** A time in milliseconds. */
function took(ms) {
  if (ms === null) return "–";
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1000 ? `${Math.round(ms)} ms` : t("span.s", { n: (ms / 1000).toFixed(1) });
}

export function bots(main, who) {
  const body = h("tbody", {});
  const mistakes = h("div", {});
  const form = h("div", {});
  const dialogues = dialogueTable(who, () => ({}));
  const names = h("datalist", { id: "bot-accounts" });
  const of = h("select", { id: "settings-bot", onchange: () => fillNames() });
  const on = h("input", { id: "settings-account", list: "bot-accounts", autocomplete: "off" });

  function fillNames() {
    const running = [...accounts.values()].filter((account) => account.bots?.includes(of.value));
    names.replaceChildren(...running.slice(0, 500).map((account) => h("option", { value: account.account })));
    on.value = running[0]?.account ?? "";
    form.replaceChildren();
  }

  function line({ bot, accounts: count, handlers }) {
    const number = (value, tone) => h("td", { class: "number" }, tone && value > 0 ? h("span", { class: "badge", "data-tone": tone }, value) : value);
    const none = () => h("td", { class: "number" }, "–");
    const figures = handlers
      ? [
          number(handlers.done),
          number(handlers.failed, "bad"),
          number(handlers.running),
          number(handlers.waiting),
          ...[handlers.p50_ms, handlers.p99_ms, handlers.begun > 0 ? handlers.longest_ms : null].map((ms) => h("td", { class: "number" }, took(ms))),
        ]
      : Array.from({ length: 7 }, none);
    const show = count > 0 ? h("a", { href: `#/fleet/${part(bot)}`, "aria-label": `${t("bots.show")}: ${bot}` }, t("bots.show")) : "–";
    return h("tr", {}, h("th", { scope: "row" }, bot), h("td", { class: "number" }, count), figures, h("td", {}, show));
  }

  /** The mistakes of those that have some. */
  async function showMistakes(told) {
    const failing = told.filter(({ handlers }) => handlers?.failed > 0);
    const all = await Promise.all(failing.map(({ bot }) => get(`/api/v1/bots/${part(bot)}`)));
    const rows = all.flatMap(({ bot, mistakes: list }) => list.map((mistake) => ({ bot, ...mistake }))).sort((a, b) => b.at - a.at);
    mistakes.replaceChildren(
      ...(rows.length === 0
        ? [h("p", { class: "soft" }, t("bots.nomistakes"))]
        : [
            h(
              "table",
              { "aria-label": t("bots.mistakes") },
              h("thead", {}, h("tr", {}, ["audit.at", "bots.name", "col.account", "bots.handler", "bots.text"].map((key) => h("th", { scope: "col" }, t(key))))),
              h("tbody", {}, rows.map(({ at, bot, account, handler, text }) => h("tr", {}, h("td", {}, clock(at)), h("td", {}, bot), h("td", {}, account), h("td", {}, handler), h("td", { class: "any" }, text)))),
            ),
          ]),
    );
  }

  async function load() {
    const told = await get("/api/v1/bots");
    body.replaceChildren(...told.bots.map(line));
    if (of.childElementCount === 0) {
      of.append(...told.bots.filter(({ accounts: count }) => count > 0).map(({ bot }) => h("option", { value: bot }, bot)));
      fillNames();
    }
    await showMistakes(told.bots);
  }

  const region = (title, ...children) => h("section", { class: "card scroll", tabindex: 0, role: "region", "aria-label": title }, h("h2", {}, title), children);
  main.append(
    h("h1", {}, t("bots.title")),
    h(
      "section",
      { class: "card scroll", tabindex: 0, role: "region", "aria-label": t("bots.title") },
      h(
        "table",
        { "aria-label": t("bots.title") },
        h("thead", {}, h("tr", {}, COLUMNS.map((name) => h("th", { scope: "col", class: name === "name" || name === "show" ? null : "number" }, t(`bots.${name}`))))),
        body,
      ),
      h("p", { class: "soft" }, t("bots.figures")),
    ),
    region(t("bots.mistakes"), mistakes),
    dialogues.element,
    region(
      t("set.title"),
      h(
        "form",
        { class: "row form", onsubmit: (event) => (event.preventDefault(), settingsForm(form, on.value, of.value, who)) },
        h("label", { for: "settings-bot" }, t("bots.name"), of),
        h("label", { for: "settings-account" }, t("col.account"), on),
        names,
        h("button", { type: "submit", disabled: !who.scopes.includes("operate") }, t("set.show")),
      ),
      form,
    ),
  );
  load();
  dialogues.load();
  const every = setInterval(() => {
    load().catch(() => {});
    dialogues.load().catch(() => {});
  }, 5000);
  return () => clearInterval(every);
}
