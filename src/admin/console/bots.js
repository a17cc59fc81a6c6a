// The bots of the program, and how many accounts run each.

import { get } from "./api.js";
import { h } from "./dom.js";
import { t } from "./words.js";

export function bots(main) {
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
}
