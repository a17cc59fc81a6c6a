// The official SDK, unmodified, as an echo bot of many accounts.
//
//   node echo.cjs <folder with node_modules> <ws:// address> <SDKAppID> <its key> <how many accounts>
'use strict';

const { createRequire } = require('node:module');
const crypto = require('node:crypto');
const zlib = require('node:zlib');

const [folder, server, app, key, count] = process.argv.slice(2);
const load = createRequire(`${folder}/`);
globalThis.WebSocket = load('ws');

// Of one SDKAppID the SDK gives out one instance, so each account needs a copy of the module.
function freshSdk() {
  const file = load.resolve('@tencentcloud/chat');
  delete require.cache[file];
  const loaded = load(file);
  return loaded.default || loaded;
}

function userSig(user) {
  const time = Math.floor(Date.now() / 1000);
  const fields = { identifier: user, sdkappid: +app, time, expire: 604800 };
  const signed = Object.entries(fields).map(([name, value]) => `TLS.${name}:${value}\n`).join('');
  const sig = crypto.createHmac('sha256', key).update(signed).digest('base64');
  const all = { 'TLS.ver': '2.0', 'TLS.sig': sig };
  for (const [name, value] of Object.entries(fields)) all[`TLS.${name}`] = value;
  const packed = zlib.deflateSync(JSON.stringify(all)).toString('base64');
  return packed.replace(/\+/g, '*').replace(/\//g, '-').replace(/=/g, '_');
}

async function run(user) {
  const Sdk = freshSdk();
  const chat = Sdk.create({ SDKAppID: +app, proxyServer: server });
  chat.setLogLevel(4);
  const failed = (error) => console.error(user, error && (error.message || error.code));
  chat.on(Sdk.EVENT.MESSAGE_RECEIVED, ({ data }) => {
    for (const message of data) {
      if (message.type !== Sdk.TYPES.MSG_TEXT || message.flow !== 'in') continue;
      const { from: to, payload: { text } } = message;
      const answer = chat.createTextMessage({ to, conversationType: Sdk.TYPES.CONV_C2C, payload: { text } });
      chat.sendMessage(answer).catch(failed);
    }
  });
  await chat.login({ userID: user, userSig: userSig(user) }).catch(failed);
}

process.on('unhandledRejection', (error) => console.error(error && error.message));
(async () => {
  for (let number = 1; number <= +count; number += 1) {
    await run(`a-${String(number).padStart(6, '0')}`);
  }
})();
