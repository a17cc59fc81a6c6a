// The bots of the program, and how many accounts run each.

import { get } from "./api.js";
import { dialogueTable } from "./dialogues.js";
import { h } from "./dom.js";
import { t } from "./words.js";

export function bots(main, who) {
  const dialogues = dialogueTable(who, () => ({}));
  const body = h("tbody", {});
  main.append(
    h("h1", {}, t("bots.title")),
    h(
      "div",
      { class: "card scroll" },
      h(
        "table",
        { "aria-label": t("bots.title") },
        h("thead", {}, h("tr", {}, ["name", "count", "show"].map((name) => h("th", { scope: "col" }, t(`bots.${name}`))))),
        body,
      ),
      h("p", { class: "soft" }, t("bots.note")),
    ),
    dialogues.element,
  );
  const load = async () => {
    const told = await get("/api/v1/bots");
    body.replaceChildren(
      ...told.bots.map(({ bot, accounts }) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, bot),
          h("td", { class: "number" }, accounts),
          h("td", {}, accounts > 0 ? h("a", { href: `#/fleet/${encodeURIComponent(bot)}`, "aria-label": `${t("bots.show")}: ${bot}` }, t("bots.show")) : "–"),
        ),
      ),
    );
  };
  load();
  dialogues.load();
  const every = setInterval(() => dialogues.load().catch(() => {}), 5000);
  return () => clearInterval(every);
}
