// Messages that are to be sent or were not sent, and what to do about them.

import { get, send } from "./api.js";
import { confirm, h, say } from "./dom.js";
import { since, t } from "./words.js";

/** The text of a message, as far as it has one. */
function words(draft) {
  const found = [];
  const look = (value) => {
    if (value === null || typeof value !== "object") return;
    for (const [key, inner] of Object.entries(value)) {
      if (typeof inner === "string" && /^text$/i.test(key)) found.push(inner);
      else look(inner);
    }
  };
  look(draft);
  return found.join(" ") || JSON.stringify(draft);
}

export function outbox(main, who) {
  const may = who.scopes.includes("operate");
  const body = h("tbody", {});
  const told = h("p", { class: "soft", role: "status" });
  const by = h("select", { id: "letter-state", onchange: () => load() }, h("option", { value: "" }, t("fleet.any")), ["queued", "failed", "unknown"].map((name) => h("option", { value: name }, t(`outbox.${name}`))));

  async function decide(number, what) {
    if (!(await confirm(t(`outbox.ask.${what}`, { number }), t("yes"), t("no")))) return;
    if (what === "retry") await send("POST", `/api/v1/outbox/${number}/retry`);
    else await send("DELETE", `/api/v1/outbox/${number}`);
    say(t("order.done"));
    await load();
  }

  function line(letter) {
    const dead = letter.state !== "queued";
    const button = (what, tone) => h("button", { type: "button", class: tone, disabled: !may || !dead, onclick: () => decide(letter.number, what), "aria-label": `${t(`outbox.${what}`)} ${letter.number}` }, t(`outbox.${what}`));
    return h(
      "tr",
      {},
      h("td", { class: "number" }, letter.number),
      h("td", {}, letter.account),
      h("td", {}, letter.to.user ?? letter.to.group),
      h("td", {}, h("span", { class: "badge", "data-tone": { queued: "wait", failed: "bad", unknown: "held" }[letter.state] }, t(`outbox.${letter.state}`))),
      h("td", {}, since(letter.at)),
      h("td", {}, words(letter.draft).slice(0, 160)),
      h("td", {}, letter.reason ?? "–"),
      h("td", {}, h("div", { class: "row" }, button("retry", null), button("drop", "danger"))),
    );
  }

  async function load() {
    const page = await get(`/api/v1/outbox?limit=500${by.value ? `&state=${by.value}` : ""}`);
    body.replaceChildren(...page.letters.map(line));
    const more = page.total - page.letters.length;
    told.textContent = page.total === 0 ? t("outbox.none") : more > 0 ? t("outbox.more", { count: more }) : "";
  }

  main.append(
    h("h1", {}, t("outbox.title")),
    h("div", { class: "row form" }, h("label", { for: "letter-state" }, t("outbox.state"), by), h("button", { type: "button", onclick: () => load() }, t("outbox.refresh")), told),
    h(
      "div",
      { class: "card scroll", tabindex: 0, role: "region", "aria-label": t("outbox.title") },
      h(
        "table",
        { "aria-label": t("outbox.title") },
        h("thead", {}, h("tr", {}, [t("outbox.number"), t("col.account"), t("outbox.to"), t("col.state"), t("outbox.age"), t("outbox.what"), t("outbox.why"), t("outbox.do")].map((text) => h("th", { scope: "col" }, text)))),
        body,
      ),
    ),
  );
  load();
  const every = setInterval(() => load().catch(() => {}), 5000);
  return () => clearInterval(every);
}
