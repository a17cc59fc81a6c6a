// All accounts on one page: filters, counts, and a list that holds only the rows that are seen.

import { alertLines } from "./alerts.js";
import { h } from "./dom.js";
import { accounts, counts, history, onChange, state, tone } from "./fleet-store.js";
import { overTime } from "./picture.js";
import { ahead, since, t } from "./words.js";

const ROW = 44;
/** How high the line with the names of the columns is; a phone has none. */
const head = () => document.querySelector(".tops")?.offsetHeight ?? 0;
/** Rows beyond the edges. */
const MORE = 8;
/** Kept while other views are shown. */
const wanted = { search: "", app: "", state: "", cause: "", bot: "" };

/** Whether the process has several apps, which stand in front of the names of accounts. */
const hasApps = () => Boolean(state.fleet?.apps?.[0]?.name);
const appOf = (account) => account.account.slice(0, account.account.indexOf("/"));

const isAway = (account) => !account.online;

const RANKS = { bad: 0, held: 1, wait: 2, off: 3, good: 5 };
const rank = (account) => (account.online && account.degraded?.length ? 4 : RANKS[tone(account.state)]);

/** Whether a text is like a pattern: with `*` as a whole, otherwise a part of it. */
function matcher(pattern) {
  const text = pattern.trim().toLowerCase();
  if (!text) return () => true;
  if (!text.includes("*")) return (name) => name.toLowerCase().includes(text);
  const quoted = text.replace(/\*+/g, "*").split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const like = new RegExp(`^${quoted.join(".*")}$`, "s");
  return (name) => like.test(name.toLowerCase());
}

function filtered() {
  const like = matcher(wanted.search);
  const fits = (account) =>
    like(account.account) &&
    (!wanted.app || (hasApps() && appOf(account) === wanted.app)) &&
    (!wanted.state || (wanted.state === "away" ? isAway(account) : account.state === wanted.state)) &&
    (!wanted.cause || account.cause?.split(":")[0] === wanted.cause) &&
    (!wanted.bot || (account.bots ?? []).includes(wanted.bot));
  const all = [...accounts.values()].filter(fits);
  // Who needs somebody comes first, then who is on the way back; each in the order of the config.
  return all.sort((a, b) => rank(a) - rank(b));
}

function row(account, number, selected) {
  const bad = account.degraded?.length > 0;
  const why = account.online ? account.degraded?.join("; ") ?? "" : account.waits_for ?? account.detail ?? "";
  return h(
    "div",
    {
      class: "item",
      role: "row",
      id: `row-${number}`,
      "aria-rowindex": number + 2,
      "aria-selected": String(number === selected),
      "data-number": number,
    },
    h("span", { class: "who", role: "gridcell" }, account.account),
    h("span", { role: "gridcell" }, h("span", { class: "badge", "data-tone": bad ? "wait" : tone(account.state) }, t(`state.${account.state}`))),
    h("span", { class: "since", role: "gridcell" }, since(account.since)),
    h("span", { role: "gridcell" }, account.next ? ahead(account.next) : "–"),
    h("span", { class: "why", role: "gridcell", title: why }, why),
  );
}

function select(id, key, label, options, change) {
  const list = h("select", { id, onchange: (event) => ((wanted[key] = event.target.value), change()) });
  const fillList = (values) => {
    const known = values.some(([value]) => value === wanted[key]);
    const all = known || !wanted[key] ? values : [...values, [wanted[key], wanted[key]]];
    list.replaceChildren(
      ...[["", t("fleet.any")], ...all].map(([value, text]) => h("option", { value, selected: value === wanted[key] }, text)),
    );
  };
  fillList(options());
  return { element: h("label", { for: id }, label, list), refresh: () => document.activeElement !== list && fillList(options()) };
}

const count = (of) => {
  const by = new Map();
  for (const account of accounts.values()) for (const value of of(account)) by.set(value, (by.get(value) ?? 0) + 1);
  return [...by].sort().map(([value, number]) => [value, number]);
};

export function fleet(main, who, bot) {
  if (bot) wanted.bot = bot;
  let shown = [];
  let selected = -1;
  const title = h("h1", {}, t("fleet.title", { count: "…" }));
  const numbers = h("ul", { class: "counts", "aria-label": t("fleet.state") });
  const picture = h("div", {});
  const next = h("p", { class: "soft" });
  const trouble = h("p", { class: "problem", role: "alert" });
  const told = h("p", { class: "soft", role: "status" });
  const alerts = alertLines(who);
  const rows = h("div", { class: "rows", role: "rowgroup" });
  const heads = h(
    "div",
    { class: "heads", role: "row", "aria-rowindex": 1 },
    ["account", "state", "since", "next", "why"].map((name) => h("span", { role: "columnheader" }, t(`col.${name}`))),
  );
  const list = h(
    "div",
    { class: "list", role: "grid", tabindex: 0, "aria-label": t("fleet.list"), "aria-colcount": 5 },
    h("div", { class: "tops", role: "rowgroup" }, heads),
    rows,
  );
  const search = h("input", { type: "search", id: "search", value: wanted.search, size: 20, oninput: () => ((wanted.search = search.value), again()) });
  const stateOptions = () => [
    ["away", `${t("fleet.away")} (${[...accounts.values()].filter(isAway).length})`],
    ...[...counts()].map(([name, number]) => [name, `${t(`state.${name}`)} (${number})`]),
  ];
  const causes = () => count((account) => (isAway(account) && account.cause ? [account.cause.split(":")[0]] : [])).map(([name, number]) => [name, `${name} (${number})`]);
  const botNames = () => count((account) => account.bots ?? []).map(([name, number]) => [name, `${name} (${number})`]);
  const apps = () => (hasApps() ? count((account) => [appOf(account)]).map(([name, number]) => [name, `${name} (${number})`]) : []);
  const byApp = select("by-app", "app", t("fleet.app"), apps, () => again());
  const selects = [
    byApp,
    select("by-state", "state", t("fleet.state"), stateOptions, () => again()),
    select("by-cause", "cause", t("fleet.cause"), causes, () => again()),
    select("by-bot", "bot", t("fleet.bot"), botNames, () => again()),
  ];

  function paint() {
    const height = list.clientHeight || 400;
    const top = Math.max(0, Math.floor((list.scrollTop - head()) / ROW) - MORE);
    const end = Math.min(shown.length, top + Math.ceil(height / ROW) + 2 * MORE);
    const items = [];
    for (let number = top; number < end; number += 1) {
      const item = row(shown[number], number, selected);
      item.style.transform = `translateY(${number * ROW}px)`;
      items.push(item);
    }
    rows.replaceChildren(...items);
    const active = selected >= top && selected < end;
    if (active) list.setAttribute("aria-activedescendant", `row-${selected}`);
    else list.removeAttribute("aria-activedescendant");
  }

  function again() {
    const chosen = shown[selected]?.account;
    shown = filtered();
    selected = chosen === undefined ? -1 : shown.findIndex((account) => account.account === chosen);
    rows.style.height = `${shown.length * ROW}px`;
    list.setAttribute("aria-rowcount", shown.length + 1);
    title.textContent = t("fleet.title", { count: accounts.size });
    told.textContent = shown.length === 0 ? (state.loaded ? t("fleet.none") : t("fleet.loading")) : t("fleet.shown", { shown: shown.length, count: accounts.size });
    numbers.replaceChildren(
      ...[...counts()].map(([name, number]) => h("li", {}, h("span", { class: "badge", "data-tone": tone(name) }, `${t(`state.${name}`)} ${number}`))),
    );
    picture.replaceChildren(overTime(history));
    const due = [...accounts.values()].filter((account) => account.next).sort((a, b) => a.next - b.next)[0];
    next.textContent = due ? t("fleet.next", { when: ahead(due.next), account: due.account }) : state.loaded ? t("fleet.nothing") : "";
    const { fleet } = state;
    const wrong = [];
    if (fleet?.blocked_threads) wrong.push(t("fleet.blocked", { count: fleet.blocked_threads }));
    if (fleet?.store.trouble) wrong.push(t("fleet.store", fleet.store.trouble));
    trouble.textContent = wrong.join(" ");
    byApp.element.hidden = !hasApps();
    for (const each of selects) each.refresh();
    alerts.refresh();
    paint();
  }

  function open(number) {
    const account = shown[number];
    if (account) location.hash = `#/account/${encodeURIComponent(account.account)}`;
  }

  function move(to) {
    selected = Math.min(Math.max(0, to), shown.length - 1);
    const y = selected * ROW;
    const seen = list.clientHeight - head();
    if (y < list.scrollTop) list.scrollTop = y;
    if (y + ROW > list.scrollTop + seen) list.scrollTop = y + ROW - seen;
    paint();
  }

  list.addEventListener("scroll", () => requestAnimationFrame(paint));
  list.addEventListener("click", (event) => {
    const item = event.target.closest(".item");
    if (item) open(Number(item.dataset.number));
  });
  list.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(list.clientHeight / ROW) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
    if (event.key in steps) move(selected + steps[event.key]);
    else if (event.key === "Home") move(0);
    else if (event.key === "End") move(shown.length - 1);
    else if (event.key === "Enter" && selected >= 0) open(selected);
    else return;
    event.preventDefault();
  });

  main.append(
    h("div", { class: "row" }, title, numbers),
    trouble,
    alerts.element,
    h("div", { class: "card" }, h("h2", {}, t("fleet.time")), picture, next),
    h("div", { class: "row form", role: "search" }, h("label", { for: "search" }, t("fleet.search"), search), selects.map((each) => each.element), told),
    list,
  );
  again();
  const stop = onChange(again);
  const every = setInterval(paint, 1000);
  const sized = new ResizeObserver(paint);
  sized.observe(list);
  return () => {
    stop();
    clearInterval(every);
    sized.disconnect();
  };
}
