// One account: how it stands and why, what happened to it, and orders.

import { get, part, send } from "./api.js";
import { conversationTable } from "./conversations.js";
import { confirm, h, say } from "./dom.js";
import { accounts, onChange, tone } from "./fleet-store.js";
import { liveLog } from "./log.js";
import { timeLine } from "./picture.js";
import { ahead, clock, since, t } from "./words.js";

const ORDERS = ["hold", "resume", "relogin", "quarantine", "release"];

function facts(account) {
  const list = [];
  const add = (key, value) => list.push(h("dt", {}, t(`account.${key}`)), h("dd", {}, value));
  if (!account.online && account.detail) add("why", account.detail);
  if (account.next) add("next", `${ahead(account.next)} (${clock(account.next)})`);
  if (account.waits_for) add("waits", account.waits_for);
  for (const what of account.degraded) add("degraded", what);
  if (account.open > 0) add("open", t("account.messages", { count: account.open }));
  const ends = account.user_sig_ends;
  add("sig", ends === null ? t("account.unknown") : ends * 1000 < Date.now() ? t("account.over") : `${ahead(ends)} (${clock(ends)})`);
  const off = account.clock_offset_ms;
  add("clock", off === 0 ? t("account.clockok") : t("account.clockoff", { ms: off }));
  return h("dl", {}, list);
}

function record(entry) {
  const good = entry.event === "online";
  const what = good
    ? t(entry.resumed ? "record.resumed" : "record.online")
    : t("record.ended", { detail: entry.detail, then: t(`state.${entry.then}`) });
  return h("li", { "data-tone": good ? "good" : "bad" }, h("span", { class: "soft" }, `${clock(entry.at)} #${entry.connection} `), what);
}

function counters(all) {
  const rows = Object.entries(all).map(([name, number]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", { class: "number" }, number)));
  return h("table", { "aria-label": t("account.counters") }, h("tbody", {}, rows));
}

// What an order would do, as a list.
function outlookOf(outlook) {
  const line = (text) => h("li", {}, text);
  const steps = outlook.refused ? [line(t("order.refused"))] : outlook.steps.map((step) => line(t(`order.step.${step}`)));
  if (!steps.length) steps.push(line(t("order.nothing")));
  if (outlook.open) steps.push(line(t("order.open", { count: outlook.open })));
  const then = t("order.then", { state: t(`state.${outlook.state}`), then: t(`state.${outlook.then}`) });
  return h("div", { class: "soft" }, h("p", {}, then), h("ul", {}, steps));
}

export function account(main, name, who) {
  const may = (scope) => who.scopes.includes(scope);
  const head = h("h1", {}, name);
  const badge = h("span", { class: "badge" });
  const held = h("span", { class: "soft" });
  const [now, recorder, numbers, bots] = [h("div", {}), h("div", {}), h("div", {}), h("div", {})];
  const conversations = conversationTable(name);
  const log = liveLog(name, who);
  let last = "";

  async function obey(order) {
    // What it would do, before it is done.
    const outlook = await get(`/api/v1/accounts/${part(name)}/orders/${order}`);
    if (!(await confirm(t(`order.ask.${order}`, { account: name }), t("yes"), t("no"), outlookOf(outlook)))) return;
    await send("POST", `/api/v1/accounts/${part(name)}/orders`, { order });
    say(t("order.done"));
    await refresh();
  }

  async function change(bot, on) {
    const ask = on ? "bots.ask.enable" : "bots.ask.disable";
    if (!(await confirm(t(ask, { account: name, bot }), t("yes"), t("no")))) return;
    await send(on ? "PUT" : "DELETE", `/api/v1/accounts/${part(name)}/bots/${part(bot)}`);
    await showBots();
  }

  async function showBots() {
    const told = await get(`/api/v1/accounts/${part(name)}/bots`);
    const rows = told.known.map((bot) => {
      const on = told.bots.includes(bot);
      const button = h("button", { type: "button", onclick: () => change(bot, !on), disabled: !may("operate"), "aria-label": `${t(on ? "bots.disable" : "bots.enable")} ${bot}` }, t(on ? "bots.disable" : "bots.enable"));
      return h("tr", {}, h("th", { scope: "row" }, bot), h("td", {}, t(on ? "bots.runs" : "bots.idle")), h("td", {}, button));
    });
    bots.replaceChildren(h("table", { "aria-label": t("account.bots") }, h("tbody", {}, rows)), h("p", { class: "soft" }, t("bots.note")));
  }

  function show(told) {
    badge.textContent = t(`state.${told.state}`);
    badge.dataset.tone = tone(told.state);
    held.textContent = t("account.since", { when: since(told.since) });
    now.replaceChildren(facts(told));
    const records = told.records ?? [];
    recorder.replaceChildren(timeLine(records), h("ol", { class: "chain" }, [...records].reverse().map(record)));
    numbers.replaceChildren(counters(told.counters));
  }

  async function refresh() {
    try {
      show(await get(`/api/v1/accounts/${part(name)}`));
    } catch (error) {
      if (error.status !== 404) throw error;
      main.replaceChildren(h("h1", {}, name), h("p", {}, t("account.gone")), h("a", { href: "#/fleet" }, t("account.back")));
    }
  }

  main.append(
    h("p", {}, h("a", { href: "#/fleet" }, t("account.back"))),
    h("div", { class: "row" }, head, badge, held),
    h(
      "div",
      { class: "split" },
      h("section", { class: "card" }, h("h2", {}, t("account.summary")), now),
      h(
        "section",
        { class: "card" },
        h("h2", {}, t("account.orders")),
        h("div", { class: "row" }, ORDERS.map((order) => h("button", { type: "button", class: order === "quarantine" ? "danger" : null, disabled: !may("operate"), onclick: () => obey(order) }, t(`order.${order}`)))),
      ),
    ),
    h("section", { class: "card" }, h("h2", {}, t("account.recorder")), recorder),
    conversations.element,
    log.element,
    h(
      "div",
      { class: "split" },
      h("section", { class: "card" }, h("h2", {}, t("account.bots")), bots),
      h("section", { class: "card" }, h("h2", {}, t("account.counters")), numbers),
    ),
  );
  refresh();
  showBots().catch(() => {});
  conversations.load().catch(() => {});
  const stop = onChange(() => {
    const known = accounts.get(name);
    const mark = known && `${known.state} ${known.since} ${known.next} ${known.cause}`;
    if (mark && mark !== last) {
      last = mark;
      refresh();
    }
  });
  const every = setInterval(() => refresh().catch(() => {}), 10000);
  // The service is asked for them, so not as often.
  const slow = setInterval(() => conversations.load().catch(() => {}), 20000);
  return () => {
    stop();
    log.end();
    clearInterval(every);
    clearInterval(slow);
  };
}
