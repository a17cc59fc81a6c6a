// Conversations with accounts in the sandbox, as a test user, and what a server does to them on a bad day.

import { blob, get, part, send } from "./api.js";
import { confirm, h, say } from "./dom.js";
import { accounts, onChange, state, tone } from "./fleet-store.js";
import { t } from "./words.js";

/** Kept while other views are shown. */
const chosen = { as: "alice", to: "", group: "" };
const FAULTS = ["multipleAccount", "multipleDevice", "REST_API_Kick", "userSigExpired", "drop_link", "stop_answering"];
/** Larger pictures are made smaller before they are sent. */
const EDGE = 1280;
const BYTES = 200 * 1024;
/** How wide a picture is shown. */
const SHOWN = 280;

function draw(bitmap, edge) {
  const scale = Math.min(1, edge / Math.max(bitmap.width, bitmap.height));
  const canvas = h("canvas", { width: Math.max(1, Math.round(bitmap.width * scale)), height: Math.max(1, Math.round(bitmap.height * scale)) });
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** A file as it is sent: as it is, or smaller. */
async function fitting(file) {
  const bitmap = await createImageBitmap(file);
  if (file.size <= BYTES && /^image\/(png|jpeg|gif|webp)$/.test(file.type)) return { body: file, width: bitmap.width, height: bitmap.height };
  for (let edge = EDGE; ; edge = Math.round(edge / 1.5)) {
    const canvas = draw(bitmap, edge);
    const body = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
    if (body.size <= BYTES || edge < 100) return { body, width: canvas.width, height: canvas.height };
  }
}

export function talk(main, who) {
  const title = h("h1", {}, t("talk.title"));
  main.append(title);
  if (state.fleet && !state.fleet.sandbox) {
    main.append(h("p", {}, t("talk.none")));
    return;
  }
  const may = (scope) => who.scopes.includes(scope);
  const names = h("datalist", { id: "accounts" });
  const field = (key, more = {}) => h("input", { id: `talk-${key}`, value: chosen[key], autocomplete: "off", ...more, onchange: (event) => ((chosen[key] = event.target.value.trim()), load()) });
  const as = field("as", { maxlength: 32 });
  const to = field("to", { list: "accounts" });
  const group = field("group", { maxlength: 48, placeholder: t("talk.nogroup") });
  const text = h("input", { id: "talk-text", autocomplete: "off", required: true });
  const file = h("input", { id: "talk-file", type: "file", accept: "image/*", class: "file", disabled: !may("send"), onchange: () => show() });
  const list = h("div", { class: "talk card", role: "log", tabindex: 0, "aria-label": t("talk.list") });
  const problem = h("p", { class: "problem", role: "alert" });
  const badge = h("span", { class: "badge" });
  let last = "";

  const path = () => {
    const place = chosen.group ? `groups/${part(chosen.group)}` : "conversations";
    return `/api/v1/sandbox/${place}/${part(chosen.as)}/${part(chosen.to)}`;
  };

  /** A picture: drawn, because a page of this policy shows none from elsewhere. */
  function picture(address, of) {
    const canvas = h("canvas", { role: "img", "aria-label": t("talk.picture", { of }), width: 40, height: 40 });
    const [token, name] = address.split("/");
    blob(`/api/v1/sandbox/pictures/${part(chosen.to)}/${part(token)}/${part(name)}`)
      .then(createImageBitmap)
      .then((bitmap) => {
        const drawn = draw(bitmap, SHOWN);
        canvas.width = drawn.width;
        canvas.height = drawn.height;
        canvas.getContext("2d").drawImage(drawn, 0, 0);
        list.scrollTop = list.scrollHeight;
      })
      .catch(() => canvas.replaceWith(t("talk.nopicture")));
    return canvas;
  }

  function line({ from, text: words, pictures }) {
    const name = chosen.group && from !== chosen.as ? h("div", { class: "soft" }, from) : null;
    return h("div", { class: from === chosen.as ? "said own" : "said" }, name, words, pictures.map((address) => picture(address, from)));
  }

  async function load() {
    if (!chosen.as || !chosen.to) return;
    const told = await get(path());
    const mark = path() + JSON.stringify(told.messages);
    if (mark === last) return;
    last = mark;
    const items = told.messages.map(line);
    list.replaceChildren(...(items.length ? items : [h("p", { class: "soft" }, t("talk.empty"))]));
    list.scrollTop = list.scrollHeight;
  }

  async function doing(what) {
    problem.textContent = "";
    Object.assign(chosen, { as: as.value.trim(), to: to.value.trim(), group: group.value.trim() });
    try {
      await what();
      await load();
    } catch (error) {
      problem.textContent = t("failed", { error: error.message, remedy: error.remedy ?? "" });
    }
  }

  const speak = (event) => {
    event.preventDefault();
    doing(async () => {
      await send("POST", path(), { text: text.value });
      text.value = "";
    });
  };
  const show = () =>
    doing(async () => {
      const [given] = file.files;
      file.value = "";
      if (!given) return;
      const { body, width, height } = await fitting(given);
      await send("POST", `${path()}/pictures?width=${width}&height=${height}`, body);
    });

  async function trouble(fault) {
    const name = to.value.trim();
    if (!(await confirm(t("fault.ask", { account: name, fault: t(`fault.${fault}`) }), t("yes"), t("no")))) return;
    await doing(() => send("POST", `/api/v1/sandbox/accounts/${part(name)}/faults`, { fault }));
    if (!problem.textContent) say(t("order.done"));
  }

  function fillNames() {
    if (!chosen.to && accounts.size > 0) {
      const first = [...accounts.values()].find((account) => account.bots?.length) ?? [...accounts.values()][0];
      chosen.to = first.account;
      to.value = chosen.to;
      load();
    }
    const known = accounts.get(chosen.to);
    badge.hidden = !known;
    if (known) {
      badge.textContent = t(`state.${known.state}`);
      badge.dataset.tone = tone(known.state);
    }
    if (names.childElementCount !== Math.min(accounts.size, 500)) names.replaceChildren(...[...accounts.keys()].slice(0, 500).map((value) => h("option", { value })));
  }

  main.append(
    h(
      "div",
      { class: "row form" },
      h("label", { for: "talk-as" }, t("talk.as"), as),
      h("label", { for: "talk-to" }, t("talk.to"), to),
      h("label", { for: "talk-group" }, t("talk.group"), group),
      badge,
      names,
    ),
    list,
    problem,
    h(
      "form",
      { class: "row form", onsubmit: speak },
      h("label", { for: "talk-text", class: "grow" }, t("talk.text"), text),
      h("button", { class: "main", type: "submit", disabled: !may("send") }, t("talk.send")),
      h("label", { for: "talk-file" }, t("talk.show"), file),
    ),
    h(
      "section",
      { class: "card" },
      h("h2", {}, t("fault.title")),
      h("div", { class: "row" }, FAULTS.map((fault) => h("button", { type: "button", class: "danger", disabled: !may("operate"), onclick: () => trouble(fault) }, t(`fault.${fault}`)))),
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
