// A conversation with a bot in the sandbox, as a test user.

import { get, part, send } from "./api.js";
import { h } from "./dom.js";
import { accounts, onChange, state } from "./fleet-store.js";
import { t } from "./words.js";

/** Kept while other views are shown. */
const chosen = { as: "alice", to: "" };

export function talk(main, who) {
  const title = h("h1", {}, t("talk.title"));
  main.append(title);
  if (state.fleet && !state.fleet.sandbox) {
    main.append(h("p", {}, t("talk.none")));
    return;
  }
  const names = h("datalist", { id: "accounts" });
  const as = h("input", { id: "talk-as", value: chosen.as, maxlength: 32, onchange: () => ((chosen.as = as.value), load()) });
  const to = h("input", { id: "talk-to", value: chosen.to, list: "accounts", maxlength: 32, onchange: () => ((chosen.to = to.value), load()) });
  const text = h("input", { id: "talk-text", autocomplete: "off", required: true });
  const list = h("div", { class: "talk card", role: "log", tabindex: 0, "aria-label": t("talk.list") });
  const problem = h("p", { class: "problem", role: "alert" });
  let last = "";

  const path = () => `/api/v1/sandbox/conversations/${part(chosen.as)}/${part(chosen.to)}`;

  async function load() {
    if (!chosen.as || !chosen.to) return;
    const told = await get(path());
    const mark = JSON.stringify(told.messages);
    if (mark === last) return;
    last = mark;
    const items = told.messages.map((message) => h("div", { class: message.from === chosen.as ? "said own" : "said" }, message.text));
    list.replaceChildren(...(items.length ? items : [h("p", { class: "soft" }, t("talk.empty"))]));
    list.scrollTop = list.scrollHeight;
  }

  async function speak(event) {
    event.preventDefault();
    problem.textContent = "";
    chosen.as = as.value;
    chosen.to = to.value;
    try {
      await send("POST", path(), { text: text.value });
      text.value = "";
      await load();
    } catch (error) {
      problem.textContent = t("failed", { error: error.message, remedy: error.remedy ?? "" });
    }
  }

  function fillNames() {
    if (!chosen.to && accounts.size > 0) {
      const first = [...accounts.values()].find((account) => account.bots?.length) ?? [...accounts.values()][0];
      chosen.to = first.account;
      to.value = chosen.to;
      load();
    }
    names.replaceChildren(...[...accounts.keys()].slice(0, 500).map((value) => h("option", { value })));
  }

  main.append(
    h("div", { class: "row" }, h("label", { for: "talk-as" }, t("talk.as"), as), h("label", { for: "talk-to" }, t("talk.to"), to), names),
    list,
    problem,
    h(
      "form",
      { class: "row form", onsubmit: speak },
      h("label", { for: "talk-text", class: "grow" }, t("talk.text"), text),
      h("button", { class: "main", type: "submit", disabled: !who.scopes.includes("send") }, t("talk.send")),
    ),
  );
  fillNames();
  load();
  const stop = onChange(fillNames);
  const every = setInterval(() => load().catch(() => {}), 700);
  return () => {
    stop();
    clearInterval(every);
  };
}
