// What the config file would change in the running fleet, and doing it.

import { send } from "./api.js";
import { confirm, h, say } from "./dom.js";
import { t } from "./words.js";

const MOST = 200;

export function config(main) {
  const told = h("div", { class: "card", "aria-live": "polite", hidden: true });
  const problem = h("p", { class: "problem", role: "alert" });
  const apply = h("button", { class: "main", type: "button", disabled: true, onclick: () => run(reload) }, t("config.apply"));

  function show(plan) {
    const same = plan.accounts.length === 0 && plan.fleet.length === 0 && plan.needs_restart.length === 0;
    const lines = [];
    if (same) lines.push(h("p", {}, t("config.same")));
    if (plan.needs_restart.length) lines.push(h("p", { class: "problem" }, t("config.refused", { keys: plan.needs_restart.join(", ") })));
    if (plan.fleet.length) lines.push(h("p", {}, t("config.fleet", { keys: plan.fleet.join(", ") })));
    lines.push(h("p", { class: "soft" }, t("config.cost", { unchanged: plan.unchanged, logins: plan.logins, seconds: plan.login_seconds })));
    if (plan.accounts.length) {
      const rows = plan.accounts.slice(0, MOST).map(({ account, action, because }) =>
        h("tr", {}, h("th", { scope: "row" }, account), h("td", {}, t(`config.${action}`)), h("td", {}, because.join(", ") || "–")),
      );
      const more = plan.accounts.length - rows.length;
      lines.push(
        h(
          "table",
          { "aria-label": t("config.title") },
          h("thead", {}, h("tr", {}, ["account", "what", "because"].map((name) => h("th", { scope: "col" }, t(`config.${name}`))))),
          h("tbody", {}, rows),
        ),
        more > 0 ? h("p", { class: "soft" }, t("outbox.more", { count: more })) : null,
      );
    }
    told.hidden = false;
    told.replaceChildren(...lines.filter((line) => line !== null));
    return { same, fits: !same && plan.needs_restart.length === 0 };
  }

  async function run(what) {
    problem.textContent = "";
    try {
      await what();
    } catch (error) {
      // A config with many mistakes has a line for each.
      problem.textContent = t("failed", { error: error.message, remedy: error.remedy ?? "" });
      told.hidden = true;
      apply.disabled = true;
    }
  }

  async function plan() {
    apply.disabled = !show(await send("POST", "/api/v1/plan")).fits;
  }

  async function reload() {
    if (!(await confirm(t("config.ask"), t("yes"), t("no")))) return;
    apply.disabled = true;
    show(await send("POST", "/api/v1/reload"));
    say(t("config.done"));
  }

  main.append(
    h("h1", {}, t("config.title")),
    h("p", { class: "soft" }, t("config.how")),
    h("div", { class: "row" }, h("button", { type: "button", onclick: () => run(plan) }, t("config.plan")), apply),
    problem,
    told,
  );
}
