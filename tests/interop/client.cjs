// One "page": one unmodified instance of the official SDK, driven line by line.
//
//   node client.cjs <folder with node_modules> <the SDK's file> [module=<its file> …] [window]
//
// With `window` the SDK believes that it runs in a browser, which it requires for sending videos.
// An input line is {"id", "call", "args"}; the answer is {"id", "result"} or
// {"id", "refused": {"code", "message"}}. All other events are lines {"event", "data"}. The page ends
// when its input ends. The SDK is not modified: the page observes sockets through the WebSocket class
// that the SDK needs in Node anyway.
'use strict';

// Standard output carries the protocol, so the SDK's log goes to standard error.
globalThis.console = new (require('node:console').Console)(process.stderr, process.stderr);
const { createRequire } = require('node:module');
const { pathToFileURL } = require('node:url');

const [folder, file, ...more] = process.argv.slice(2);
const moduleFiles = more.filter((word) => word.includes('='));
const inWindow = more.includes('window');
const Socket = createRequire(`${folder}/`)('ws');

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const happened = (event, data) => say({ event, data });

// The SDK does not reconnect after losing a socket that is younger than one second.
const GROWN_UP = 1100;
// After SDK_READY the SDK sends a dozen requests at once, and this last one a second later.
const LAST_OF_THE_BURST = 'im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2';
let compressed = 0;
let sockets = 0;
// The commands whose requests are reported when they are sent.
const watched = new Set();
// The frames that `holdFrames` keeps back, or null.
let held = null;
globalThis.WebSocket = class extends Socket {
  constructor(...args) {
    super(...args);
    sockets += 1;
    this.number = sockets;
    this.on('open', () => {
      happened('socketOpened');
      setTimeout(() => this.readyState === Socket.OPEN && happened('socketGrownUp'), GROWN_UP);
    });
    this.on('message', (data) => {
      const text = Buffer.from(data).toString();
      if (text.startsWith('COMP')) compressed += 1;
      else if (text.includes(LAST_OF_THE_BURST)) happened('socketSettled');
    });
  }

  send(data, ...rest) {
    if (watched.size) {
      const { head, body } = JSON.parse(Buffer.from(data).toString());
      if (watched.has(head.servcmd)) {
        happened('requestSent', { socket: this.number, servcmd: head.servcmd, seq: head.seq, body });
      }
    }
    if (held) held.push(() => super.send(data, ...rest));
    else super.send(data, ...rest);
  }

  close(code, reason) {
    happened('socketClosedBySdk', { code });
    super.close(code, reason);
  }
};

process.on('unhandledRejection', (error) => happened('unhandledRejection', plainError(error)));
process.on('uncaughtException', (error) => {
  happened('uncaughtException', { message: String(error && error.stack) });
});

function plainError(error) {
  return { code: error && error.code, message: String((error && error.message) || error) };
}

// Every message that this page has sent or received, as the SDK's own object, by its ID.
const messages = new Map();

// The fields that tests inspect; whole messages and conversations contain much internal data.
const SHOWN = [
  'ID', 'type', 'payload', 'from', 'to', 'nick', 'flow', 'conversationID', 'time', 'sequence',
  'random',
];
// Fields that are only printed if they are not empty.
const SHOWN_IF_SET = [
  'atUserList', 'isRevoked', 'revoker', 'isModified', 'needReadReceipt', 'readReceiptInfo',
  'cloudCustomData', 'priority', 'nameCard', 'isRead', 'isPeerRead', '_isExcludedFromUnreadCount',
  'isSupportExtension', 'status', 'groupProfile', 'pinnerInfo', 'clientSequence', 'avatar',
  '_onlineOnlyFlag', '_isExcludedFromLastMessage', 'revokerInfo',
];

function plainMessage(message) {
  if (message.ID) messages.set(message.ID, message);
  const shown = Object.fromEntries(SHOWN.map((name) => [name, message[name]]));
  for (const name of SHOWN_IF_SET) {
    const value = message[name];
    const says = Array.isArray(value) ? value.length : value;
    if (says) shown[name] = value;
  }
  return shown;
}

// A replacement for a browser window, which the SDK looks for when it is loaded.
function openWindow() {
  const { File } = require('node:buffer');
  const nothing = () => {};
  const navigator = { userAgent: '', cookieEnabled: false };
  const window = {
    URL, navigator, performance, location: { href: '' },
    addEventListener: nothing, removeEventListener: nothing,
  };
  const HTMLInputElement = class {};
  const document = { charset: 'UTF-8', characterSet: 'UTF-8' };
  for (const [name, value] of Object.entries({ File, navigator, window, HTMLInputElement, document })) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
}
if (inWindow) openWindow();

// Replacements for the browser functions that uploads need. They only reach this machine.
const isLocal = (url) => new URL(url).hostname === '127.0.0.1';
function becomeBrowser() {
  globalThis.XMLHttpRequest = class {
    upload = {};
    status = 0;
    statusText = '';
    responseText = '';
    headers = {};

    open(method, url) {
      Object.assign(this, { method, url });
    }

    setRequestHeader(name, value) {
      this.headers[name] = value;
    }

    getAllResponseHeaders() {
      return '';
    }

    abort() {}

    async send(body) {
      try {
        if (!isLocal(this.url)) throw new Error(`${this.url} is not here`);
        const { method, headers } = this;
        const answer = await fetch(this.url, { method, headers, body });
        this.status = answer.status;
        this.responseText = await answer.text();
        if (!answer.ok) happened('uploadRefused', { status: answer.status });
        if (this.upload.onprogress) this.upload.onprogress({ loaded: body.size, total: body.size });
        this.readyState = 4;
        if (this.onreadystatechange) this.onreadystatechange();
        if (this.onload) this.onload();
      } catch (error) {
        this.responseText = String(error);
        happened('uploadFailed', { url: this.url, message: String(error && (error.cause || error.stack)) });
        if (this.onerror) this.onerror(error);
      }
    }
  };
  // A browser provides the width and height of a picture; a PNG has them at its beginning.
  globalThis.Image = class {
    set src(url) {
      const read = async () => {
        const view = new DataView(await (await fetch(url)).arrayBuffer());
        Object.assign(this, { width: view.getUint32(16), height: view.getUint32(20) });
        this.onload();
      };
      read().catch(() => this.onerror());
    }
  };
}

// A file of the given size with unique content: {name, type, size, seed}, and for a PNG its width and
// height. In Node the SDK accepts the object both as a file and as the list that contains it. A video
// begins like an MP4.
const { createHash } = require('node:crypto');
const { Blob } = require('node:buffer');
function bytesOf({ size, type, seed = 1, width, height }) {
  const bytes = Buffer.alloc(size);
  let state = seed;
  for (let at = 0; at + 4 <= size; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes.writeUInt32LE(state, at);
  }
  if (width) {
    Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').copy(bytes);
    bytes.writeUInt32BE(width, 16);
    bytes.writeUInt32BE(height, 20);
  }
  if (type === 'video/mp4') {
    Buffer.from('000000186674797069736f6d0000020069736f6d6d703432', 'hex').copy(bytes);
  }
  return bytes;
}
function fileOf(spec) {
  if (inWindow) {
    const file = new File([bytesOf(spec)], spec.name, { type: spec.type });
    return Object.assign(file, { duration: spec.duration });
  }
  const file = new Blob([bytesOf(spec)], { type: spec.type });
  return Object.assign(file, { name: spec.name, duration: spec.duration, files: [file] });
}
const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

// Replaces references in arguments by the SDK's own objects, {"$message": ID}, and by files,
// {"$file": spec}.
function meant(value) {
  if (Array.isArray(value)) return value.map(meant);
  // Objects of the SDK and files remain unchanged.
  const isPlain = value && Object.getPrototypeOf(value) === Object.prototype;
  if (!isPlain) return value;
  if ('$message' in value) {
    if (!messages.has(value.$message)) throw new Error(`no message ${value.$message}`);
    return messages.get(value.$message);
  }
  if ('$file' in value) return fileOf(value.$file);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, meant(inner)]));
}

function plain(data) {
  if (Array.isArray(data)) return data.map(plain);
  if (data === null || typeof data !== 'object') return data;
  if (data instanceof Error) return plainError(data);
  if ('flow' in data && 'payload' in data) return plainMessage(data);
  if ('conversationID' in data && 'unreadCount' in data) {
    const { conversationID, unreadCount, groupAtInfoList } = data;
    const at = (groupAtInfoList || []).map(({ messageSequence, atTypeArray }) => ({
      messageSequence, atTypeArray,
    }));
    return at.length ? { conversationID, unreadCount, at } : { conversationID, unreadCount };
  }
  return data;
}

// Like plain, also for nested values of a result.
function plainDeep(data, depth = 0) {
  if (data === null || typeof data !== 'object' || depth > 6) return data;
  if (Array.isArray(data)) return data.map((inner) => plainDeep(inner, depth + 1));
  const flat = plain(data);
  if (flat !== data) return flat;
  const inside = Object.entries(data).filter(([, inner]) => typeof inner !== 'function');
  return Object.fromEntries(inside.map(([name, inner]) => [name, plainDeep(inner, depth + 1)]));
}

async function load(path) {
  const { default: loaded } = await import(pathToFileURL(path));
  return loaded.default || loaded;
}

async function main() {
  const Chat = await load(file);
  const modules = {};
  for (const spec of moduleFiles) {
    const [name, path] = spec.split('=');
    modules[name] = await load(path);
  }
  let chat;

  const own = {
    create(options) {
      chat = Chat.create(moduleFiles.length ? { ...options, modules } : options);
      chat.setLogLevel(4);
      for (const name of new Set(Object.values(Chat.EVENT))) {
        chat.on(name, (event) => happened(name, plain(event.data)));
      }
      return Chat.VERSION;
    },
    // chat.create<Kind>Message(options), then sendMessage; other calls can name the message.
    async send(kind, options, sendOptions) {
      // The SDK creates an object URL for a picture at once, which requires a window. With a window
      // it expects a complete browser elsewhere.
      if (kind === 'Image' && !inWindow) globalThis.window = { URL };
      const message = chat[`create${kind}Message`](meant(options));
      if (!inWindow) delete globalThis.window;
      messages.set(message.ID, message);
      return plain((await chat.sendMessage(message, sendOptions)).data.message);
    },
    // Like send, but sends the same message twice.
    async sendTwice(kind, options) {
      const message = chat[`create${kind}Message`](meant(options));
      await chat.sendMessage(message);
      return plain((await chat.resendMessage(message)).data.message);
    },
    // Like send, but sends the same message once more if it is rejected.
    async sendUntilDone(kind, options) {
      const message = chat[`create${kind}Message`](meant(options));
      const sent = await chat.sendMessage(message).catch(() => chat.resendMessage(message));
      return plain(sent.data.message);
    },
    // Changes fields of a message's payload and makes the SDK edit the message.
    async edit(id, payload) {
      const message = messages.get(id);
      Object.assign(message.payload, payload);
      return plain((await chat.modifyMessage(message)).data.message);
    },
    // Returns the SDK's current data of a message.
    message: (id) => (messages.has(id) ? plainMessage(messages.get(id)) : null),
    findMessage: (id) => plain(chat.findMessage(id)),
    // Calls the SDK and returns the data of its answer, with shortened messages.
    async data(name, ...args) {
      const answer = await chat[name](...args);
      return plainDeep(answer && answer.data !== undefined ? answer.data : null);
    },
    async sendText(to, text) {
      const message = chat.createTextMessage({ to, conversationType: 'C2C', payload: { text } });
      return plain((await chat.sendMessage(message)).data.message);
    },
    async sendCustom(to, payload) {
      const message = chat.createCustomMessage({ to, conversationType: 'C2C', payload });
      return plain((await chat.sendMessage(message)).data.message);
    },
    async getMessageList(options) {
      return plain((await chat.getMessageList(options)).data.messageList);
    },
    async getConversationList() {
      for (;;) {
        const { conversationList, isSyncCompleted } = (await chat.getConversationList()).data;
        // Right after a login, the SDK returns incomplete data.
        if (isSyncCompleted) return plain(conversationList);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    // Returns everything that the conversation list shows of one conversation.
    async conversation(id) {
      const { conversation } = (await chat.getConversationProfile(id)).data;
      const {
        isPinned, markList, customData, conversationGroupList, lastMessage, messageRemindType,
        unreadCount, peerReadTime, remark,
      } = conversation;
      const { payload, isRevoked, fromAccount } = lastMessage || {};
      return {
        isPinned, markList, customData, conversationGroupList, messageRemindType, unreadCount,
        peerReadTime, remark, lastMessage: { payload, isRevoked, fromAccount },
      };
    },
    // Reports invitations. A listener makes the SDK fetch histories after a login, in addition to the
    // requests of a test.
    listenToSignaling() {
      const names = Object.values(Chat.TSignaling).filter((name) => typeof name === 'string');
      for (const name of names) {
        chat.addSignalingListener(name, (event) => happened(name, plain(event.data)));
      }
      return null;
    },
    // Enables uploads with the official plugin.
    useUploads() {
      becomeBrowser();
      chat.registerPlugin({ 'tim-upload-plugin': createRequire(`${folder}/`)('tim-upload-plugin') });
      return null;
    },
    fileBytes: (spec) => bytesOf(spec).toString('hex'),
    fileDigest: (spec) => digest(bytesOf(spec)),
    // Downloads an address, as an application does.
    async download(url) {
      const answer = await fetch(url);
      const bytes = Buffer.from(await answer.arrayBuffer());
      const type = answer.headers.get('content-type');
      return { status: answer.status, type, size: bytes.length, digest: digest(bytes) };
    },
    compressedFrames: () => compressed,
    // Starts to report requests with these commands.
    watchRequests(commands) {
      commands.forEach((command) => watched.add(command));
      return null;
    },
    // Keeps back every frame, as a slow link does.
    holdFrames() {
      held ??= [];
      return null;
    },
    // Sends what was kept back. Frames for a link that is gone are lost with it.
    releaseFrames() {
      const frames = held ?? [];
      held = null;
      frames.forEach((send) => send());
      return null;
    },
  };

  const answer = async ({ id, call, args }) => {
    try {
      const given = meant(args);
      const outcome = own[call] ? await own[call](...given) : await chat[call](...given);
      say({ id, result: outcome === undefined ? null : outcome });
    } catch (error) {
      say({ id, refused: plainError(error) });
    }
  };
  const lines = require('node:readline').createInterface({ input: process.stdin });
  lines.on('line', (line) => answer(JSON.parse(line)));
  lines.on('close', () => process.exit(0));
}

main().catch((error) => {
  happened('uncaughtException', { message: String(error.stack) });
  process.exit(1);
});
