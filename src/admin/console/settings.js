// The settings of a bot on an account, as a form made from what the bot says that it takes.

import { get, part, send } from "./api.js";
import { confirm, h, say } from "./dom.js";
import { t } from "./words.js";

/** A value as it stands in a field, and back; a text that is none of that kind is a mistake. */
const READ = {
  integer: (text) => (/^[+-]?\d+$/.test(text) ? Number(text) : undefined),
  number: (text) => (text !== "" && Number.isFinite(Number(text)) ? Number(text) : undefined),
  text: (text) => text,
  choice: (text) => text,
};
const json = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

function put(table, path, value) {
  let inner = table;
  for (const key of path.slice(0, -1)) inner = inner[key] ??= {};
  inner[path.at(-1)] = value;
}

/** One setting: its field, and what it says: `{same}`, `{unset}`, `{value}` or `{wrong}`. */
function setting(field, number, disabled) {
  const id = `setting-${number}`;
  const name = field.path.join(".");
  const label = field.required ? `${name} *` : name;
  const hint = field.hidden ? t("set.hidden") : field.is_set ? "" : t("set.default");
  let control;
  let before;
  if (field.kind === "boolean" || field.kind === "choice") {
    const values = field.kind === "boolean" ? ["true", "false"] : field.choices;
    before = field.hidden ? "" : field.is_set ? String(field.value) : "";
    const none = h("option", { value: "" }, hint || t("set.default"));
    control = h("select", { id, disabled }, none, values.map((value) => h("option", { value, selected: value === before }, value)));
  } else {
    const plain = field.kind in READ;
    before = field.hidden || !field.is_set ? "" : plain ? String(field.value) : JSON.stringify(field.value);
    control = h("input", { id, disabled, value: before, placeholder: hint, autocomplete: "off", inputmode: field.kind === "integer" ? "numeric" : null });
  }
  const unset = h("input", { type: "checkbox", id: `${id}-unset`, disabled: disabled || !field.is_set || field.required });
  const read = () => {
    if (unset.checked) return { unset: true };
    if (control.value === before) return { same: true };
    // A text may be empty on purpose; an empty number is none.
    if (control.value === "" && field.kind !== "text") return { same: true };
    const value = field.kind === "boolean" ? control.value === "true" : (READ[field.kind] ?? json)(control.value);
    return value === undefined ? { wrong: t(`set.wrong.${field.kind in READ ? field.kind : "json"}`, { name }) } : { value };
  };
  const element = h(
    "div",
    { class: "setting" },
    h("label", { for: id }, label, control),
    h("label", { for: `${id}-unset`, class: "check" }, unset, t("set.unset")),
  );
  return { element, read, path: field.path };
}

/** The form for a bot on an account, in `place`. */
export async function settingsForm(place, account, bot, who) {
  const path = `/api/v1/accounts/${part(account)}/bots/${part(bot)}/settings`;
  place.replaceChildren(h("p", { class: "soft" }, t("fleet.loading")));
  let told;
  try {
    told = await get(path);
  } catch (error) {
    place.replaceChildren(h("p", { class: "problem", role: "alert" }, t("failed", { error: error.message, remedy: error.remedy ?? "" })));
    return;
  }
  const may = who.scopes.includes("operate");
  const fields = told.fields.map((field, number) => setting(field, number, !may));
  const problem = h("p", { class: "problem", role: "alert" });
  const well = h("p", { class: "soft", role: "status" });

  /** What is to change, or nothing, with words about it. */
  function changes() {
    const change = { set: {}, unset: [] };
    let count = 0;
    problem.textContent = "";
    well.textContent = "";
    for (const field of fields) {
      const { same, unset, value, wrong } = field.read();
      if (wrong) {
        problem.textContent = wrong;
        return null;
      }
      if (same) continue;
      count += 1;
      if (unset) change.unset.push(field.path);
      else put(change.set, field.path, value);
    }
    if (count === 0) well.textContent = t("set.same");
    return count === 0 ? null : change;
  }

  async function run(apply) {
    const change = changes();
    if (!change) return;
    try {
      await send("POST", `${path}/check`, change);
      well.textContent = t("set.fits");
      if (!apply || !(await confirm(t("set.ask", { bot, account }), t("yes"), t("no")))) return;
      await send("POST", path, change);
      say(t("order.done"));
      await settingsForm(place, account, bot, who);
    } catch (error) {
      well.textContent = "";
      problem.textContent = t("failed", { error: error.message, remedy: error.remedy ?? "" });
    }
  }

  place.replaceChildren(
    h(
      "form",
      { class: "settings", onsubmit: (event) => (event.preventDefault(), run(true)), "aria-label": t("set.of", { bot, account }) },
      h("h3", {}, t("set.of", { bot, account })),
      h("p", { class: "soft" }, t(told.is_own ? "set.own" : "set.common")),
      fields.length === 0 ? h("p", {}, t("set.none")) : fields.map((field) => field.element),
      problem,
      well,
      fields.length === 0
        ? null
        : h(
            "div",
            { class: "row" },
            h("button", { type: "button", disabled: !may, onclick: () => run(false) }, t("set.check")),
            h("button", { class: "main", type: "submit", disabled: !may }, t("config.apply")),
          ),
      h("p", { class: "soft" }, t("bots.note")),
    ),
  );
}
