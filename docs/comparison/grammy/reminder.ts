import { Bot } from 'grammy'
import { Cron } from 'croner'
import { readFileSync, writeFileSync } from 'node:fs'

interface Reminder { id: number, due: number, user: number, chat: number, text: string }

const FILE = 'reminders.json'
let all: Reminder[] = []
try { all = JSON.parse(readFileSync(FILE, 'utf8')) } catch { /* the first start */ }
const save = () => writeFileSync(FILE, JSON.stringify(all))

const bot = new Bot(process.env.TOKEN!)
const timers = new Map<number, NodeJS.Timeout>()

function schedule(reminder: Reminder) {
  timers.set(reminder.id, setTimeout(async () => {
    await bot.api.sendMessage(reminder.chat, `Remember: ${reminder.text}`)
    remove(reminder)
  }, Math.max(0, reminder.due - Date.now())))
}

function remove(reminder: Reminder) {
  clearTimeout(timers.get(reminder.id))
  all = all.filter((other) => other.id !== reminder.id)
  save()
}

bot.command('remind', async (ctx) => {
  const [, number, unit, text] = ctx.match.match(/^(\d+)([smhd])\s+(.+)$/s) ?? []
  if (!number || !ctx.from) return ctx.reply('Usage: /remind <when> <what>, as in /remind 2h tea')
  const time = Number(number) * { s: 1, m: 60, h: 3600, d: 86400 }[unit as 's' | 'm' | 'h' | 'd'] * 1000
  const reminder = { id: Date.now(), due: Date.now() + time, user: ctx.from.id, chat: ctx.chat.id, text: text! }
  all.push(reminder)
  save()
  schedule(reminder)
  await ctx.reply('I will.')
})

const mine = (user?: number) => all.filter((reminder) => reminder.user === user)

bot.command('reminders', (ctx) =>
  ctx.reply(mine(ctx.from?.id).map((reminder, n) => `${n + 1}. ${reminder.text}`).join('\n') || 'None.'))

bot.command('forget', async (ctx) => {
  const reminder = mine(ctx.from?.id)[Number(ctx.match) - 1]
  if (!reminder) return ctx.reply('There is no such reminder.')
  remove(reminder)
  await ctx.reply('Forgotten.')
})

all.forEach(schedule)
new Cron('0 9 * * *', { timezone: 'Asia/Shanghai' }, async () => {
  await bot.api.sendMessage(process.env.TEAM!, 'Good morning!')
})
bot.start()
