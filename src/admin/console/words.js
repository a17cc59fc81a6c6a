// What the console says, in English and Chinese.

const WORDS = {
  en: {
    "skip": "Skip to the content",
    "nav.label": "Views", "nav.nothing": "This token sees nothing: it needs the scope read.", "nav.fleet": "Fleet", "nav.bots": "Bots", "nav.outbox": "Outbox", "nav.talk": "Talk", "nav.config": "Config", "nav.audit": "Audit",
    "language": "Language", "theme": "Theme", "theme.auto": "As the system", "theme.light": "Light", "theme.dark": "Dark",
    "logout": "Log out", "live.true": "live", "live.false": "connecting…",
    "login.title": "Log in", "login.how": "Run `botroupe console` beside the config for a link, or paste a token.",
    "login.token": "Token", "login.go": "Log in", "login.bad": "{error}. {remedy}",
    "fleet.title": "{count} accounts", "fleet.loading": "Loading…", "fleet.search": "UserID or pattern (*)",
    "fleet.state": "State", "fleet.cause": "Cause", "fleet.bot": "Bot", "fleet.app": "App", "fleet.any": "any", "fleet.away": "away",
    "fleet.list": "Accounts", "fleet.shown": "{shown} of {count} shown", "fleet.none": "No account is like that.",
    "fleet.next": "Next try {when}: {account}", "fleet.nothing": "Nothing is due: every account is online, or waits for an order.",
    "fleet.blocked": "{count} bot threads are blocked by a handler",
    "fleet.store": "The store is not written: {text} {remedy}",
    "fleet.time": "By state, the last hour",
    "col.account": "Account", "col.state": "State", "col.since": "Since", "col.next": "Next try", "col.why": "Why",
    "state.waiting": "waiting", "state.connecting": "connecting", "state.logging in": "logging in", "state.online": "online",
    "state.renewing": "renewing", "state.cooling down": "cooling down", "state.contested": "contested", "state.held": "held",
    "state.quarantined": "quarantined", "state.stopping": "stopping", "state.stopped": "stopped",
    "tone.good": "online", "tone.wait": "on the way back", "tone.held": "held or contested", "tone.bad": "quarantined", "tone.off": "stopped",
    "picture.none": "nothing recorded yet", "picture.counts": "Now: {counts}",
    "line.label": "Flight recorder, {count} events; the list below has them in words", "line.now": "now",
    "record.online": "logged in", "record.resumed": "resumed", "record.ended": "{detail} → {then}",
    "account.back": "← Fleet", "account.gone": "There is no such account.", "account.why": "Why", "account.next": "Next try",
    "account.waits": "Waits for", "account.degraded": "Does not hear", "account.open": "With its bots", "account.messages": "{count} messages",
    "account.sig": "UserSig ends", "account.unknown": "not known", "account.over": "is over", "account.clock": "Clock",
    "account.clockok": "agrees with the service's", "account.clockoff": "the service's is {ms} ms ahead",
    "account.orders": "Orders", "account.counters": "Counters", "account.recorder": "Flight recorder", "account.bots": "Bots",
    "account.since": "since {when}", "account.summary": "Now",
    "order.hold": "Hold", "order.resume": "Resume", "order.relogin": "Log in anew", "order.quarantine": "Quarantine", "order.release": "Release",
    "order.ask.hold": "Log {account} out, until somebody resumes it?", "order.ask.resume": "Bring {account} back, whatever keeps it away?",
    "order.ask.relogin": "Replace the login of {account} by one with a new UserSig?",
    "order.ask.quarantine": "Log {account} out and mark it as broken?", "order.ask.release": "Bring {account} back from quarantine?",
    "order.then": "It is {state} now, and {then} afterwards.", "order.nothing": "Nothing changes, but bots that are parked run again when it is resumed.", "order.refused": "It is refused: the account stays away until somebody resumes it.", "order.open": "{count} messages are with its bots, and are handled.",
    "order.step.logs_out": "It logs out.", "order.step.gives_up": "It gives up the login that is under way.", "order.step.stays_away": "It stays away until somebody resumes it.", "order.step.forgets": "What it remembers of failures and kicks is forgotten.", "order.step.logs_in": "It logs in as soon as the governor lets it.", "order.step.renews": "It logs in anew with a new UserSig and stays online.", "order.step.other": "Something that this page has no word for.",
    "order.done": "Ordered.", "yes": "Yes", "no": "No",
    "bots.title": "Bots", "bots.name": "Bot", "bots.count": "Accounts", "bots.done": "Done", "bots.failed": "Failed", "bots.running": "Running", "bots.waiting": "Waiting", "bots.p50": "p50", "bots.p99": "p99", "bots.longest": "Longest", "bots.show": "Show accounts",
    "bots.enable": "Enable", "bots.disable": "Disable", "bots.runs": "runs", "bots.idle": "does not run",
    "bots.ask.enable": "Have {account} run {bot}?", "bots.ask.disable": "Have {account} run {bot} no more?",
    "bots.note": "Changes are forgotten when the process ends; the config keeps them.",
    "outbox.title": "Outbox and dead letters", "outbox.none": "Nothing is to be sent, and nothing has failed.",
    "outbox.number": "No.", "outbox.to": "To", "outbox.age": "Age", "outbox.what": "Message", "outbox.why": "Why", "outbox.do": "Decide",
    "outbox.retry": "Send again", "outbox.drop": "Drop", "outbox.refresh": "Refresh", "outbox.more": "{count} more are not shown",
    "outbox.ask.retry": "Send letter {number} after all?", "outbox.ask.drop": "Forget letter {number} for good?",
    "outbox.queued": "queued", "outbox.failed": "failed", "outbox.unknown": "unknown", "outbox.state": "State",
    "alerts.title": "Alerts", "alerts.firing": "Alerts: {count}", "alerts.none": "Nothing fires", "alerts.since": "for {when}",
    "alerts.quiet": "quiet until {when}", "alerts.more": " and {count} more", "alerts.silence": "Keep quiet", "alerts.end": "End",
    "alerts.ask": "Tell nobody of “{rule}” for a while?", "alerts.for": "For", "alerts.of": "Account, or its beginning and a *", "alerts.all": "all",
    "alerts.for.30m": "30 minutes", "alerts.for.2h": "2 hours", "alerts.for.1d": "a day", "alerts.for.7d": "a week",
    "alerts.reason": "Why", "alerts.done": "It is quiet.", "alerts.everything": "everything", "alerts.silent": "Quiet: {what} until {when}, by {by}",
    "rule.share": "too few online", "rule.quarantined": "quarantined", "rule.contested": "contested", "rule.held": "held", "rule.user_sig": "no UserSig",
    "rule.outbox": "messages fail", "rule.disk": "disk", "rule.store": "store", "rule.crash": "crash",
    "dialogues.title": "Dialogues that wait for an answer", "dialogues.none": "No dialogue waits for an answer.", "dialogues.person": "Person",
    "dialogues.question": "Question", "dialogues.since": "Asked", "dialogues.left": "Time left", "dialogues.drop": "Drop",
    "dialogues.ask": "End the dialogue of {bot} with {person}? Nobody is told.",
    "audit.title": "Audit", "audit.who": "Who", "audit.what": "What", "audit.at": "When", "audit.from": "From", "audit.older": "Older", "audit.none": "Nothing was ordered.",
    "audit.checking": "Checking…", "audit.whole": "{count} entries are as they were written. Last hash: {head}", "audit.broken": "{broken}. The {count} before it are as they were written.",
    "audit.refused": "refused: {status}",
    "log.title": "Log, live", "log.level": "Down to", "log.more": "More detail for 10 minutes", "log.detailed": "This account is logged in detail for 10 minutes.",
    "log.missed": "{count} lines were lost: they came too quickly.", "log.none": "This program has a log of its own.",
    "conv.title": "Conversations", "conv.with": "With", "conv.unread": "Unread", "conv.waiting": "To be sent", "conv.failed": "Not sent",
    "conv.dialogues": "Dialogues", "conv.last": "Last message", "conv.group": "group {group}", "conv.none": "There is no conversation yet.",
    "conv.unknown": "What is unread is not known: {why}.",
    "bots.figures": "Handlers since the process started. A time is the end of its bucket, at most 1.42 times as long as it was.",
    "bots.mistakes": "The last mistakes of handlers", "bots.nomistakes": "No handler has failed.", "bots.handler": "Handler", "bots.text": "What it said",
    "set.title": "Settings of a bot", "set.show": "Show", "set.of": "{bot} on {account}", "set.own": "This account has settings of its own.", "set.common": "These are the settings of the bot's section of the config.",
    "set.none": "The bot takes no settings.", "set.hidden": "set, not shown", "set.default": "not set", "set.unset": "leave out", "set.same": "Nothing is changed.",
    "set.check": "Check", "set.fits": "The bot takes them.", "set.ask": "Give {bot} on {account} these settings?",
    "set.wrong.integer": "{name}: a whole number", "set.wrong.number": "{name}: a number", "set.wrong.json": "{name}: written as JSON, like [\"a\"] or {\"a\": 1}",
    "fault.title": "Faults of the sandbox", "fault.ask": "{fault}: do that to {account}?", "fault.multipleAccount": "Kick: multipleAccount",
    "fault.multipleDevice": "Kick: multipleDevice", "fault.REST_API_Kick": "Kick: REST_API_Kick", "fault.userSigExpired": "Expire the UserSig",
    "fault.drop_link": "Drop the link", "fault.stop_answering": "No answer for a minute",
    "talk.title": "Talk", "talk.as": "As", "talk.to": "With", "talk.text": "Message", "talk.send": "Send", "talk.show": "Show a picture", "talk.group": "In the group", "talk.nogroup": "none: one to one", "talk.picture": "a picture of {of}", "talk.nopicture": "(the picture is gone)", "talk.list": "Conversation",
    "talk.none": "Talking is for the sandbox: set endpoint = \"sandbox\" in the config.", "talk.empty": "Nothing was said yet.",
    "config.title": "Config", "config.how": "Reads the config file anew and says what putting it in the place of the running one would do. Nothing changes yet.",
    "config.plan": "Show the plan", "config.apply": "Apply", "config.ask": "Put the config in the place of the running one?",
    "config.done": "The config is applied.", "config.same": "Nothing would change.", "config.refused": "Only a restart of the process changes: {keys}",
    "config.fleet": "Changes of the whole fleet: {keys}", "config.cost": "{unchanged} accounts stay as they are; {logins} logins, about {seconds} s.",
    "config.account": "Account", "config.what": "What happens", "config.because": "Because of",
    "config.start": "logs in", "config.stop": "finishes and logs out", "config.relink": "moves to a new link", "config.change": "changes, and stays online",
    "span.s": "{n} s", "span.m": "{n} min", "span.h": "{n} h {m} min", "span.d": "{n} d {m} h", "in": "in {span}", "now": "now", "ago": "{span} ago",
    "failed": "{error}. {remedy}",
  },
  zh: {
    "skip": "跳到内容",
    "nav.label": "视图", "nav.nothing": "这个令牌什么也看不到：需要 read 权限。", "nav.fleet": "账号", "nav.bots": "机器人", "nav.outbox": "发件箱", "nav.talk": "对话", "nav.config": "配置", "nav.audit": "审计",
    "language": "语言", "theme": "外观", "theme.auto": "跟随系统", "theme.light": "浅色", "theme.dark": "深色",
    "logout": "退出", "live.true": "实时", "live.false": "连接中…",
    "login.title": "登录", "login.how": "在配置文件旁运行 `botroupe console` 获取链接,或粘贴令牌。",
    "login.token": "令牌", "login.go": "登录", "login.bad": "{error}。{remedy}",
    "fleet.title": "{count} 个账号", "fleet.loading": "加载中…", "fleet.search": "UserID 或模式(*)",
    "fleet.state": "状态", "fleet.cause": "原因", "fleet.bot": "机器人", "fleet.app": "应用", "fleet.any": "全部", "fleet.away": "离线",
    "fleet.list": "账号列表", "fleet.shown": "显示 {shown} / {count}", "fleet.none": "没有符合条件的账号。",
    "fleet.next": "下次重试 {when}:{account}", "fleet.nothing": "没有待办:所有账号都在线,或在等待指令。",
    "fleet.blocked": "{count} 个机器人线程被处理函数阻塞",
    "fleet.store": "存储无法写入:{text} {remedy}",
    "fleet.time": "最近一小时各状态的账号数",
    "col.account": "账号", "col.state": "状态", "col.since": "持续", "col.next": "下次重试", "col.why": "原因",
    "state.waiting": "等待中", "state.connecting": "连接中", "state.logging in": "登录中", "state.online": "在线",
    "state.renewing": "续签中", "state.cooling down": "冷却中", "state.contested": "被争用", "state.held": "已暂停",
    "state.quarantined": "已隔离", "state.stopping": "停止中", "state.stopped": "已停止",
    "tone.good": "在线", "tone.wait": "恢复中", "tone.held": "暂停或被争用", "tone.bad": "已隔离", "tone.off": "已停止",
    "picture.none": "尚无记录", "picture.counts": "当前:{counts}",
    "line.label": "飞行记录,{count} 个事件;下方列表有文字说明", "line.now": "现在",
    "record.online": "已登录", "record.resumed": "已恢复会话", "record.ended": "{detail} → {then}",
    "account.back": "← 账号", "account.gone": "没有这个账号。", "account.why": "原因", "account.next": "下次重试",
    "account.waits": "等待", "account.degraded": "收不到", "account.open": "机器人手中", "account.messages": "{count} 条消息",
    "account.sig": "UserSig 到期", "account.unknown": "未知", "account.over": "已过期", "account.clock": "时钟",
    "account.clockok": "与服务端一致", "account.clockoff": "服务端快 {ms} 毫秒",
    "account.orders": "指令", "account.counters": "计数", "account.recorder": "飞行记录", "account.bots": "机器人",
    "account.since": "已持续 {when}", "account.summary": "当前",
    "order.hold": "暂停", "order.resume": "恢复", "order.relogin": "重新登录", "order.quarantine": "隔离", "order.release": "解除隔离",
    "order.ask.hold": "让 {account} 下线,直到有人恢复它?", "order.ask.resume": "让 {account} 重新上线?",
    "order.ask.relogin": "用新的 UserSig 替换 {account} 的登录?",
    "order.ask.quarantine": "让 {account} 下线并标记为故障?", "order.ask.release": "解除 {account} 的隔离?",
    "order.then": "现在是“{state}”,之后是“{then}”。", "order.nothing": "没有变化;恢复时,被停放的机器人会重新运行。", "order.refused": "会被拒绝:该账号在有人恢复它之前不会上线。", "order.open": "它的机器人还有 {count} 条消息,会照常处理。",
    "order.step.logs_out": "它会登出。", "order.step.gives_up": "它会放弃正在进行的登录。", "order.step.stays_away": "在有人恢复它之前保持离线。", "order.step.forgets": "清除它记住的失败和被踢记录。", "order.step.logs_in": "按登录速度尽快登录。", "order.step.renews": "用新的 UserSig 重新登录,保持在线。", "order.step.other": "此页面没有相应说明的步骤。",
    "order.done": "已下达。", "yes": "确定", "no": "取消",
    "bots.title": "机器人", "bots.name": "机器人", "bots.count": "账号数", "bots.done": "完成", "bots.failed": "失败", "bots.running": "进行中", "bots.waiting": "排队", "bots.p50": "p50", "bots.p99": "p99", "bots.longest": "最长", "bots.show": "查看账号",
    "bots.enable": "启用", "bots.disable": "停用", "bots.runs": "运行中", "bots.idle": "未运行",
    "bots.ask.enable": "让 {account} 运行 {bot}?", "bots.ask.disable": "让 {account} 不再运行 {bot}?",
    "bots.note": "改动在进程结束后失效;要保留请写进配置。",
    "outbox.title": "发件箱与死信", "outbox.none": "没有待发或失败的消息。",
    "outbox.number": "编号", "outbox.to": "收件人", "outbox.age": "时长", "outbox.what": "消息", "outbox.why": "原因", "outbox.do": "处理",
    "outbox.retry": "重发", "outbox.drop": "丢弃", "outbox.refresh": "刷新", "outbox.more": "还有 {count} 条未显示",
    "outbox.ask.retry": "重发第 {number} 封?", "outbox.ask.drop": "永久丢弃第 {number} 封?",
    "outbox.queued": "待发", "outbox.failed": "失败", "outbox.unknown": "未知", "outbox.state": "状态",
    "alerts.title": "告警", "alerts.firing": "{count} 条告警", "alerts.none": "没有告警", "alerts.since": "已 {when}",
    "alerts.quiet": "静默至 {when}", "alerts.more": " 等另外 {count} 个", "alerts.silence": "静默", "alerts.end": "结束",
    "alerts.ask": "暂时不再通知“{rule}”？", "alerts.for": "时长", "alerts.of": "账号,或其开头加 *", "alerts.all": "全部",
    "alerts.for.30m": "30 分钟", "alerts.for.2h": "2 小时", "alerts.for.1d": "一天", "alerts.for.7d": "一周",
    "alerts.reason": "原因", "alerts.done": "已静默。", "alerts.everything": "全部告警", "alerts.silent": "静默:{what},至 {when},由 {by}",
    "rule.share": "在线过少", "rule.quarantined": "已隔离", "rule.contested": "被争用", "rule.held": "已暂停", "rule.user_sig": "没有 UserSig",
    "rule.outbox": "消息发送失败", "rule.disk": "磁盘", "rule.store": "存储", "rule.crash": "崩溃",
    "dialogues.title": "等待回答的对话", "dialogues.none": "没有等待回答的对话。", "dialogues.person": "对方",
    "dialogues.question": "问题", "dialogues.since": "已问", "dialogues.left": "剩余", "dialogues.drop": "结束",
    "dialogues.ask": "结束 {bot} 与 {person} 的对话？不会通知任何人。",
    "audit.title": "审计", "audit.who": "谁", "audit.what": "做了什么", "audit.at": "时间", "audit.from": "来自", "audit.older": "更早", "audit.none": "没有命令。",
    "audit.checking": "检查中…", "audit.whole": "{count} 条记录未被改动。最后的哈希：{head}", "audit.broken": "{broken}。之前的 {count} 条未被改动。",
    "audit.refused": "被拒绝：{status}",
    "log.title": "实时日志", "log.level": "级别", "log.more": "详细记录 10 分钟", "log.detailed": "将详细记录此账号 10 分钟。",
    "log.missed": "丢失 {count} 行：来得太快。", "log.none": "这个程序有自己的日志。",
    "conv.title": "会话", "conv.with": "对象", "conv.unread": "未读", "conv.waiting": "待发", "conv.failed": "未发出",
    "conv.dialogues": "对话", "conv.last": "最后一条", "conv.group": "群 {group}", "conv.none": "还没有会话。",
    "conv.unknown": "未读数未知：{why}。",
    "bots.figures": "进程启动以来的处理函数。时间是所在区间的上限，最多为实际的 1.42 倍。",
    "bots.mistakes": "处理函数最近的错误", "bots.nomistakes": "没有处理函数失败。", "bots.handler": "处理函数", "bots.text": "内容",
    "set.title": "机器人的设置", "set.show": "显示", "set.of": "{account} 上的 {bot}", "set.own": "此账号有自己的设置。", "set.common": "这是配置里该机器人一节的设置。",
    "set.none": "这个机器人没有设置。", "set.hidden": "已设置，不显示", "set.default": "未设置", "set.unset": "去掉", "set.same": "没有改动。",
    "set.check": "检查", "set.fits": "机器人接受这些设置。", "set.ask": "给 {account} 上的 {bot} 这些设置？",
    "set.wrong.integer": "{name}：需要整数", "set.wrong.number": "{name}：需要数字", "set.wrong.json": "{name}：写成 JSON，如 [\"a\"] 或 {\"a\": 1}",
    "fault.title": "沙箱故障", "fault.ask": "对 {account} 执行“{fault}”？", "fault.multipleAccount": "踢下线：multipleAccount",
    "fault.multipleDevice": "踢下线：multipleDevice", "fault.REST_API_Kick": "踢下线：REST_API_Kick", "fault.userSigExpired": "使 UserSig 过期",
    "fault.drop_link": "断开连接", "fault.stop_answering": "一分钟不应答",
    "talk.title": "对话", "talk.as": "身份", "talk.to": "对象", "talk.text": "消息", "talk.send": "发送", "talk.show": "发图片", "talk.group": "所在群", "talk.nogroup": "无:一对一", "talk.picture": "{of} 的图片", "talk.nopicture": "（图片已不在）", "talk.list": "会话",
    "talk.none": "对话仅用于沙箱:在配置中设置 endpoint = \"sandbox\"。", "talk.empty": "还没有消息。",
    "config.title": "配置", "config.how": "重新读取配置文件，并说明用它替换正在运行的配置会发生什么。此时还不会改变任何东西。",
    "config.plan": "显示计划", "config.apply": "应用", "config.ask": "用新配置替换正在运行的配置？",
    "config.done": "配置已应用。", "config.same": "没有变化。", "config.refused": "只有重启进程才能改变：{keys}",
    "config.fleet": "整体变化：{keys}", "config.cost": "{unchanged} 个账号保持不变；{logins} 次登录，约 {seconds} 秒。",
    "config.account": "账号", "config.what": "会发生什么", "config.because": "原因",
    "config.start": "登录", "config.stop": "收尾并登出", "config.relink": "换到新连接", "config.change": "在线改变",
    "span.s": "{n} 秒", "span.m": "{n} 分", "span.h": "{n} 小时 {m} 分", "span.d": "{n} 天 {m} 小时", "in": "{span}后", "now": "现在", "ago": "{span}前",
    "failed": "{error}。{remedy}",
  },
};

const LANGUAGE = "botroupe-language";
const wanted = localStorage.getItem(LANGUAGE) ?? (navigator.language.startsWith("zh") ? "zh" : "en");
let language = WORDS[wanted] ? wanted : "en";

export const languages = { en: "English", zh: "中文" };
export const present = () => language;
export function choose(name) {
  language = name;
  localStorage.setItem(LANGUAGE, name);
}

/** The words of a key, with values in their places. */
export function t(key, values = {}) {
  const text = WORDS[language][key] ?? WORDS.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** A span of seconds. */
export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return t("span.s", { n: whole });
  if (whole < 3600) return t("span.m", { n: Math.floor(whole / 60) });
  if (whole < 86400) return t("span.h", { n: Math.floor(whole / 3600), m: Math.floor(whole / 60) % 60 });
  return t("span.d", { n: Math.floor(whole / 86400), m: Math.floor(whole / 3600) % 24 });
}

export const since = (at) => span(Date.now() / 1000 - at);
export function ahead(at) {
  if (at === null || at === undefined) return "–";
  const left = at - Date.now() / 1000;
  return left <= 0 ? t("now") : t("in", { span: span(left) });
}
export const clock = (at) =>
  new Date(at * 1000).toLocaleString(language === "zh" ? "zh-CN" : "en-GB", { dateStyle: "short", timeStyle: "medium" });
