// What fires, on the page of the fleet, and keeping it quiet.

import { send } from "./api.js";
import { confirm, h, say } from "./dom.js";
import { refreshAlerts, state } from "./fleet-store.js";
import { clock, since, t } from "./words.js";

/** Lines of one rule name so many accounts. */
const NAMED = 3;

/** What fires, a line for each rule; what is quiet and what is not are two lines. */
function groups(alerts) {
  const by = new Map();
  for (const alert of alerts) {
    const key = `${alert.rule} ${alert.silenced_until ?? ""}`;
    const group = by.get(key) ?? { rule: alert.rule, until: alert.silenced_until, since: alert.since, text: alert.text, accounts: [] };
    group.since = Math.min(group.since, alert.since);
    if (alert.account) group.accounts.push(alert.account);
    by.set(key, group);
  }
  return [...by.values()];
}

async function silence(rule) {
  const long = h("select", { id: "silence-for" }, ["30m", "2h", "1d", "7d"].map((value) => h("option", { value }, t(`alerts.for.${value}`))));
  const reason = h("input", { id: "silence-why", maxlength: 200, autocomplete: "off" });
  const account = h("input", { id: "silence-of", maxlength: 32, autocomplete: "off", placeholder: t("alerts.all") });
  const form = h(
    "div",
    { class: "fields" },
    h("label", { for: "silence-for" }, t("alerts.for"), long),
    h("label", { for: "silence-of" }, t("alerts.of"), account),
    h("label", { for: "silence-why" }, t("alerts.reason"), reason),
  );
  if (!(await confirm(t("alerts.ask", { rule: t(`rule.${rule}`) }), t("alerts.silence"), t("no"), form))) return;
  const of = account.value.trim();
  await send("POST", "/api/v1/alerts/silences", { rule, for: long.value, reason: reason.value, ...(of ? { account: of } : {}) });
  say(t("alerts.done"));
  await refreshAlerts();
}

async function end(number) {
  await send("DELETE", `/api/v1/alerts/silences/${number}`);
  say(t("order.done"));
  await refreshAlerts();
}

/** The part of the page; `refresh` shows what is known now. */
export function alertLines(who) {
  const may = who.scopes.includes("operate");
  const element = h("section", { class: "card alerts", "aria-label": t("alerts.title"), hidden: true });
  let mark = "";

  function line({ rule, until, since: at, text, accounts }) {
    const named = accounts.slice(0, NAMED).join(", ");
    const more = accounts.length > NAMED ? t("alerts.more", { count: accounts.length - NAMED }) : "";
    const what = accounts.length ? `${named}${more}` : text;
    return h(
      "li",
      { class: "row" },
      h("span", { class: "badge", "data-tone": until ? "off" : "bad" }, t(`rule.${rule}`)),
      h("span", { class: "grow", title: text }, what),
      h("span", { class: "soft" }, until ? t("alerts.quiet", { when: clock(until) }) : t("alerts.since", { when: since(at) })),
      until ? null : h("button", { type: "button", disabled: !may, onclick: () => silence(rule), "aria-label": `${t("alerts.silence")}: ${t(`rule.${rule}`)}` }, t("alerts.silence")),
    );
  }

  function silent({ number, rule, account, until, reason, by }) {
    const what = [rule ? t(`rule.${rule}`) : t("alerts.everything"), account].filter(Boolean).join(" · ");
    return h(
      "li",
      { class: "row soft" },
      h("span", { class: "grow" }, t("alerts.silent", { what, when: clock(until), by }) + (reason ? ` – ${reason}` : "")),
      h("button", { type: "button", disabled: !may, onclick: () => end(number), "aria-label": `${t("alerts.end")} ${number}` }, t("alerts.end")),
    );
  }

  function refresh() {
    const told = state.alerts;
    const shown = told ? JSON.stringify([told, Math.floor(Date.now() / 10000)]) : "";
    if (shown === mark) return;
    mark = shown;
    element.hidden = !told || (told.alerts.length === 0 && told.silences.length === 0);
    if (element.hidden) return;
    const firing = groups(told.alerts).map(line);
    element.replaceChildren(
      h("h2", {}, told.alerts.length ? t("alerts.firing", { count: told.alerts.length }) : t("alerts.none")),
      h("ul", { class: "plain" }, firing, told.silences.map(silent)),
    );
  }
  refresh();
  return { element, refresh };
}
