// The dialogues that wait for an answer.

import { get, part, send } from "./api.js";
import { confirm, h, say } from "./dom.js";
import { ahead, since, t } from "./words.js";

const MOST = 200;

/** A part of a page: the dialogues of a bot, an account, or all. `load` asks again. */
export function dialogueTable(who, filter) {
  const may = who.scopes.includes("operate");
  const body = h("tbody", {});
  const told = h("p", { class: "soft", role: "status" });
  const heads = ["col.account", "bots.name", "dialogues.person", "dialogues.question", "dialogues.since", "dialogues.left", "outbox.do"];
  const table = h(
    "table",
    { "aria-label": t("dialogues.title") },
    h("thead", {}, h("tr", {}, heads.map((key) => h("th", { scope: "col" }, t(key))))),
    body,
  );

  async function drop(dialogue) {
    const ask = t("dialogues.ask", { person: dialogue.person, bot: dialogue.bot });
    if (!(await confirm(ask, t("yes"), t("no")))) return;
    await send("DELETE", `/api/v1/dialogues/${part(dialogue.id)}`);
    say(t("order.done"));
    await load();
  }

  function line(dialogue) {
    const { group } = dialogue.conversation;
    const by = dialogue.approver;
    return h(
      "tr",
      {},
      h("td", {}, dialogue.account),
      h("td", {}, dialogue.bot),
      h("td", {}, group ? `${dialogue.person} (${group})` : dialogue.person),
      h("td", {}, dialogue.question ?? "–", by ? h("span", { class: "soft" }, ` → ${by.user ?? by.group}`) : null),
      h("td", {}, dialogue.since ? since(dialogue.since) : "–"),
      h("td", {}, ahead(dialogue.deadline)),
      h("td", {}, h("button", { type: "button", class: "danger", disabled: !may, onclick: () => drop(dialogue), "aria-label": `${t("dialogues.drop")}: ${dialogue.person}` }, t("dialogues.drop"))),
    );
  }

  async function load() {
    const wanted = Object.entries(filter()).filter(([, value]) => value);
    const query = wanted.map(([key, value]) => `&${key}=${part(value)}`).join("");
    const page = await get(`/api/v1/dialogues?limit=${MOST}${query}`);
    body.replaceChildren(...page.dialogues.map(line));
    table.hidden = page.total === 0;
    const more = page.total - page.dialogues.length;
    told.textContent = page.total === 0 ? t("dialogues.none") : more > 0 ? t("outbox.more", { count: more }) : "";
  }

  const element = h(
    "section",
    { class: "card scroll", tabindex: 0, role: "region", "aria-label": t("dialogues.title") },
    h("h2", {}, t("dialogues.title")),
    told,
    table,
  );
  return { element, load };
}
