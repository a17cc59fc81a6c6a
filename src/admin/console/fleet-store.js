// What the page knows of the fleet: all accounts, kept up by the stream of changes.

import { follow, get } from "./api.js";

const FIRST = 200;
const PAGE = 2000;
const SAMPLES = 720;

/** By UserID, in the order of the config. */
export const accounts = new Map();
/** Counts by tone, every five seconds of the last hour. */
export const history = [];
export const state = { live: false, loaded: false, fleet: null, alerts: null };

const listeners = new Set();
let told = 0;

/** Runs `run` after changes, at most five times a second. Returns what ends that. */
export function onChange(run) {
  listeners.add(run);
  return () => listeners.delete(run);
}

function changed() {
  if (told) return;
  told = setTimeout(() => {
    told = 0;
    for (const run of listeners) run();
  }, 200);
}

/** What a state means for those who look: good, wait, bad, held or off. */
export function tone(name) {
  if (name === "online" || name === "renewing") return "good";
  if (name === "held" || name === "contested") return "held";
  if (name === "quarantined") return "bad";
  if (name === "stopped" || name === "stopping") return "off";
  return "wait";
}

export function counts() {
  const by = new Map();
  for (const account of accounts.values()) by.set(account.state, (by.get(account.state) ?? 0) + 1);
  return by;
}

function sample() {
  if (!state.loaded) return;
  const by = { good: 0, wait: 0, held: 0, bad: 0, off: 0 };
  for (const account of accounts.values()) by[tone(account.state)] += 1;
  history.push({ at: Date.now(), by });
  if (history.length > SAMPLES) history.shift();
  changed();
}

let touched = new Map();

function take(name, data) {
  if (name === "change") {
    const { account } = data;
    touched.set(account.account, account);
    if (account.state === "stopped") {
      // It has left the fleet, or the process ends.
      accounts.delete(account.account);
    } else {
      accounts.set(account.account, { ...accounts.get(account.account), ...account });
    }
    changed();
  } else if (name === "missed") {
    load().catch(() => {});
  }
}

/** Gets everything. Changes that come meanwhile are newer than what a page says. */
async function load() {
  touched = new Map();
  const seen = new Set();
  let from = 0;
  while (from !== null) {
    const limit = from === 0 ? FIRST : PAGE;
    const page = await get(`/api/v1/accounts?limit=${limit}&from=${from}`);
    for (const account of page.accounts) {
      const newer = touched.get(account.account);
      if (newer?.state === "stopped") continue;
      seen.add(account.account);
      accounts.set(account.account, { ...account, ...newer });
    }
    from = page.next;
    changed();
  }
  for (const name of accounts.keys()) if (!seen.has(name)) accounts.delete(name);
  state.loaded = true;
  sample();
}

async function summary() {
  state.fleet = await get("/api/v1/status");
  changed();
  // A reload has added or removed some.
  if (state.loaded && state.fleet.accounts !== accounts.size) await load();
}

/** What fires; nothing is known of that where nobody watches the fleet. */
export async function refreshAlerts() {
  try {
    state.alerts = await get("/api/v1/alerts");
  } catch (error) {
    if (error.status !== 409) throw error;
    state.alerts = null;
  }
  changed();
}

/** What the server remembers of the time before this page. */
async function past() {
  const told = await get("/api/v1/history");
  const samples = told.samples.map(({ at, states }) => {
    const by = { good: 0, wait: 0, held: 0, bad: 0, off: 0 };
    for (const [name, count] of Object.entries(states)) by[tone(name)] += count;
    return { at: at * 1000, by };
  });
  history.splice(0, history.length, ...samples);
  changed();
}

let stop = null;

/** Keeps up until `end`. */
export function begin() {
  end();
  const ending = new AbortController();
  stop = ending;
  let pause = 500;
  const keep = async () => {
    while (!ending.signal.aborted) {
      try {
        await follow("/api/v1/events", (name, data) => {
          if (name === "hello") {
            state.live = true;
            pause = 500;
            // Whatever happened while there was no stream.
            load().catch(() => {});
            summary().catch(() => {});
            past().catch(() => {});
            refreshAlerts().catch(() => {});
          }
          take(name, data);
        }, ending.signal);
      } catch (error) {
        if (error.status === 401 || error.status === 403) return;
      }
      state.live = false;
      changed();
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(pause * 2, 10000);
    }
  };
  keep();
  const every = setInterval(sample, 5000);
  const slow = setInterval(() => {
    if (!state.live) return;
    summary().catch(() => {});
    refreshAlerts().catch(() => {});
  }, 5000);
  ending.signal.addEventListener("abort", () => {
    clearInterval(every);
    clearInterval(slow);
  });
}

export function end() {
  stop?.abort();
  stop = null;
  accounts.clear();
  history.length = 0;
  Object.assign(state, { live: false, loaded: false, fleet: null, alerts: null });
}
