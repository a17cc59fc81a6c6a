// Asks the server. The session is kept in this tab, and sent as a token: no cookie, which other sites could use.

const KEY = "botroupe-session";
let session = sessionStorage.getItem(KEY);
let onLogout = () => {};

/** Why a request was refused. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.error ?? `${status}`);
    this.status = status;
    this.remedy = problem.remedy ?? "";
    this.code = problem.code ?? "";
  }
}

export const hasSession = () => session !== null;
export function whenLoggedOut(run) {
  onLogout = run;
}

function forget() {
  session = null;
  sessionStorage.removeItem(KEY);
}

async function ask(method, path, body, signal, more = {}) {
  const headers = { ...more };
  if (session) headers.Authorization = `Bearer ${session}`;
  const file = body instanceof Blob;
  if (body !== undefined) headers["Content-Type"] = file ? body.type : "application/json";
  const text = body === undefined || file ? body : JSON.stringify(body);
  const answer = await fetch(path, { method, headers, body: text, signal, cache: "no-store" });
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  if (answer.status === 401 && session) {
    forget();
    onLogout();
  }
  throw new Refused(answer.status, problem);
}

export const get = async (path) => (await ask("GET", path)).json();
export const send = async (method, path, body) => (await ask(method, path, body)).json();

/** A file. */
export const blob = async (path) => (await ask("GET", path)).blob();

/** Begins a session with `{link}` or `{token}`; returns who it is. */
export async function login(with_) {
  forget();
  const begun = await send("POST", "/api/v1/session", with_);
  session = begun.session;
  sessionStorage.setItem(KEY, session);
  return begun.who;
}

export async function logout() {
  await send("DELETE", "/api/v1/session").catch(() => {});
  forget();
}

/**
 * Follows events until the signal says stop. `on` gets the name, the data and the id of each; `after` is the id of the last one
 * that was seen.
 */
export async function follow(path, on, signal, after) {
  const answer = await ask("GET", path, undefined, signal, after ? { "Last-Event-ID": after } : {});
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    let end;
    while ((end = text.indexOf("\n\n")) >= 0) {
      const event = text.slice(0, end);
      text = text.slice(end + 2);
      let name = "";
      let data = "";
      let id = "";
      for (const line of event.split("\n")) {
        if (line.startsWith("event: ")) name = line.slice(7);
        if (line.startsWith("data: ")) data += line.slice(6);
        if (line.startsWith("id: ")) id = line.slice(4);
      }
      if (name) on(name, JSON.parse(data), id);
    }
  }
}

/** A part of a path. */
export const part = (text) => encodeURIComponent(text);
