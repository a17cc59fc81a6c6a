// The frame: login, the bar at the top, and which view is shown.

import * as api from "./api.js";
import { h, say } from "./dom.js";
import * as store from "./fleet-store.js";
import { choose, languages, present, t } from "./words.js";
import { account } from "./account.js";
import { audit } from "./audit.js";
import { bots } from "./bots.js";
import { config } from "./config.js";
import { fleet } from "./fleet.js";
import { outbox } from "./outbox.js";
import { talk } from "./talk.js";

const THEME = "botroupe-theme";
const VIEWS = { fleet, bots, outbox, talk, config, audit };
/** Which scope a view is for. */
const FOR = { fleet: "read", bots: "read", outbox: "read", talk: "read", config: "admin", audit: "admin" };
const main = document.getElementById("main");
const header = document.getElementById("top");
let who = null;
let leave = () => {};
let stopLive = () => {};

function useTheme(name) {
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  localStorage.setItem(THEME, name);
}

function option(value, text, chosen) {
  return h("option", { value, selected: value === chosen }, text);
}

/** The views that are for whoever has logged in. */
const seen = () => Object.keys(VIEWS).filter((name) => who.scopes.includes(FOR[name]));

function bar(view) {
  const links = seen().map((name) =>
    h("a", { href: `#/${name}`, "aria-current": name === view ? "page" : null }, t(`nav.${name}`)),
  );
  const theme = localStorage.getItem(THEME) ?? "auto";
  const live = h("span", { class: "live", role: "status" });
  const show = () => {
    live.dataset.on = String(store.state.live);
    live.textContent = t(`live.${store.state.live}`);
  };
  show();
  stopLive();
  stopLive = store.onChange(show);
  header.replaceChildren(
    h(
      "div",
      { class: "bar" },
      h("span", { class: "name" }, "Botroupe"),
      h("nav", { "aria-label": t("nav.label") }, links),
      live,
      h(
        "select",
        { "aria-label": t("language"), onchange: (event) => (choose(event.target.value), show_()) },
        Object.entries(languages).map(([name, text]) => option(name, text, present())),
      ),
      h(
        "select",
        { "aria-label": t("theme"), onchange: (event) => useTheme(event.target.value) },
        ["auto", "light", "dark"].map((name) => option(name, t(`theme.${name}`), theme)),
      ),
      h("button", { type: "button", onclick: () => api.logout().then(loggedOut) }, t("logout")),
    ),
  );
}

function show_() {
  leave();
  leave = () => {};
  document.documentElement.lang = present() === "zh" ? "zh-CN" : "en";
  document.getElementById("skip").textContent = t("skip");
  if (!who) return loginView();
  const [, view = "fleet", name = ""] = location.hash.match(/^#\/(\w+)(?:\/(.*))?$/) ?? [];
  bar(view === "account" ? "fleet" : view);
  main.replaceChildren();
  if (seen().length === 0) main.append(h("h1", {}, "Botroupe"), h("p", {}, t("nav.nothing")));
  else if (view === "account") leave = account(main, decodeURIComponent(name), who) ?? leave;
  else leave = (VIEWS[view] ?? fleet)(main, who, decodeURIComponent(name)) ?? leave;
  document.title = `${main.querySelector("h1")?.textContent ?? ""} – Botroupe`;
}

function loginView(error) {
  header.replaceChildren();
  const input = h("input", { type: "password", autocomplete: "off", required: true, id: "token" });
  const problem = h("p", { class: "problem", role: "alert" }, error ?? "");
  const go = async (event) => {
    event.preventDefault();
    problem.textContent = "";
    try {
      await enter({ token: input.value });
    } catch (refused) {
      problem.textContent = t("login.bad", { error: refused.message, remedy: refused.remedy ?? "" });
      input.select();
    }
  };
  main.replaceChildren(
    h(
      "form",
      { class: "login card", onsubmit: go },
      h("h1", {}, t("login.title")),
      h("p", { class: "soft" }, t("login.how")),
      h("label", { for: "token" }, t("login.token"), input),
      problem,
      h("button", { class: "main", type: "submit" }, t("login.go")),
    ),
  );
  document.title = `${t("login.title")} – Botroupe`;
  input.focus();
}

async function enter(with_) {
  who = await api.login(with_);
  store.begin();
  show_();
}

function loggedOut() {
  who = null;
  store.end();
  show_();
}

api.whenLoggedOut(loggedOut);
addEventListener("hashchange", () => {
  if (location.hash === "#main") return main.focus();
  show_();
  main.focus();
});
addEventListener("unhandledrejection", (event) => {
  if (event.reason instanceof api.Refused) {
    say(t("failed", { error: event.reason.message, remedy: event.reason.remedy }));
    event.preventDefault();
  }
});

useTheme(localStorage.getItem(THEME) ?? "auto");
const link = location.hash.match(/^#link=(\S+)$/)?.[1];
if (link) {
  // It leads in once; nobody who looks at the address later gets in with it.
  history.replaceState(null, "", location.pathname);
  enter({ link }).catch((refused) => loginView(t("login.bad", { error: refused.message, remedy: "" })));
} else if (api.hasSession()) {
  api.get("/api/v1/session").then(
    (known) => {
      who = known;
      store.begin();
      show_();
    },
    () => loggedOut(),
  );
} else {
  show_();
}
