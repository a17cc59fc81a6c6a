// The conversations of an account, and what waits in them.

import { get, part } from "./api.js";
import { h } from "./dom.js";
import { since, t } from "./words.js";

/** A part of a page; `load` asks again. */
export function conversationTable(account) {
  const body = h("tbody", {});
  const told = h("p", { class: "soft", role: "status" });
  const heads = ["with", "unread", "waiting", "failed", "dialogues", "last"];
  const table = h(
    "table",
    { "aria-label": t("conv.title") },
    h("thead", {}, h("tr", {}, heads.map((key) => h("th", { scope: "col" }, t(`conv.${key}`))))),
    body,
  );

  function line(of) {
    const count = (number, tone) => h("td", { class: "number" }, number > 0 ? h("span", { class: "badge", "data-tone": tone }, number) : "–");
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, of.with.user ?? t("conv.group", { group: of.with.group })),
      count(of.unread, "wait"),
      count(of.waiting, "wait"),
      count(of.failed, "bad"),
      count(of.dialogues, "good"),
      h("td", {}, of.last ? since(of.last) : "–"),
    );
  }

  async function load() {
    const page = await get(`/api/v1/accounts/${part(account)}/conversations`);
    body.replaceChildren(...page.conversations.map(line));
    table.hidden = page.conversations.length === 0;
    const notes = [];
    if (page.unknown) notes.push(t("conv.unknown", { why: page.unknown }));
    if (page.total === 0 && !page.unknown) notes.push(t("conv.none"));
    if (page.total > page.conversations.length) notes.push(t("outbox.more", { count: page.total - page.conversations.length }));
    told.textContent = notes.join(" ");
  }

  const element = h(
    "section",
    { class: "card scroll", tabindex: 0, role: "region", "aria-label": t("conv.title") },
    h("div", { class: "row" }, h("h2", {}, t("conv.title")), h("button", { type: "button", onclick: () => load() }, t("outbox.refresh"))),
    told,
    table,
  );
  return { element, load };
}
