// What people have ordered, the newest first, and whether that was changed since.

import { get, part } from "./api.js";
import { h } from "./dom.js";
import { clock, t } from "./words.js";

const PAGE = 50;
/** Kept while other views are shown. */
const wanted = { who: "", what: "" };

/** What was done, in a line. */
function words({ method, path, body, refused }) {
  const where = decodeURI(String(path ?? "")).replace("/api/v1/", "");
  const more = body === null || body === undefined ? "" : ` ${JSON.stringify(body)}`;
  return { line: `${method ?? ""} ${where}${more}`, refused };
}

export function audit(main) {
  const body = h("tbody", {});
  const verified = h("p", { class: "soft", role: "status" }, t("audit.checking"));
  const told = h("p", { class: "soft", role: "status" });
  const older = h("button", { type: "button", hidden: true, onclick: () => load(false) }, t("audit.older"));
  let next = null;
  let turn = 0;

  function line(entry) {
    const { line: what, refused } = words(entry.what);
    return h(
      "tr",
      { title: entry.hash },
      h("td", { class: "number" }, entry.number),
      h("td", {}, clock(entry.at)),
      h("td", {}, entry.who),
      h("td", {}, entry.from),
      h("td", { class: "any" }, refused ? h("span", { class: "badge", "data-tone": "bad" }, t("audit.refused", { status: refused })) : null, refused ? " " : null, what),
    );
  }

  async function load(anew) {
    const mine = (turn += 1);
    const query = [`limit=${PAGE}`];
    for (const key of ["who", "what"]) if (wanted[key]) query.push(`${key}=${part(wanted[key])}`);
    if (!anew && next !== null) query.push(`before=${next}`);
    const page = await get(`/api/v1/audit?${query.join("&")}`);
    if (mine !== turn) return; // Somebody has typed meanwhile.
    if (anew) body.replaceChildren();
    body.append(...page.entries.map(line));
    next = page.next;
    older.hidden = next === null;
    told.textContent = body.childElementCount === 0 && next === null ? t("audit.none") : "";
  }

  async function verify() {
    const { entries, head, broken } = await get("/api/v1/audit/verify");
    verified.className = broken ? "problem" : "soft";
    verified.textContent = broken ? t("audit.broken", { broken, count: entries }) : t("audit.whole", { count: entries, head });
  }

  let pause;
  const field = (key) =>
    h("label", { for: `audit-${key}` }, t(`audit.${key}`), h("input", {
      id: `audit-${key}`,
      type: "search",
      value: wanted[key],
      oninput: (event) => {
        wanted[key] = event.target.value.trim();
        clearTimeout(pause);
        pause = setTimeout(() => load(true), 250);
      },
    }));
  main.append(
    h("h1", {}, t("audit.title")),
    verified,
    h("div", { class: "row form", role: "search" }, field("who"), field("what"), h("button", { type: "button", onclick: () => (load(true), verify()) }, t("outbox.refresh")), told),
    h(
      "div",
      { class: "card scroll", tabindex: 0, role: "region", "aria-label": t("audit.title") },
      h(
        "table",
        { "aria-label": t("audit.title") },
        h("thead", {}, h("tr", {}, ["outbox.number", "audit.at", "audit.who", "audit.from", "audit.what"].map((key) => h("th", { scope: "col" }, t(key))))),
        body,
      ),
      older,
    ),
  );
  load(true);
  verify();
  return () => clearTimeout(pause);
}
