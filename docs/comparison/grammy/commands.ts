import { Bot, type Context } from 'grammy'
import { CommandGroup, commands, type CommandsFlavor } from '@grammyjs/commands'

type Ctx = CommandsFlavor<Context>

const bot = new Bot<Ctx>(process.env.TOKEN!)
bot.use(commands())

const usage = 'Usage: /weather <city> [days], days from 1 to 7'
const tools = new CommandGroup<Context>()

tools.command(/w|weather/, 'the weather of a city', async (ctx) => {
  const words = [...String(ctx.match ?? '').matchAll(/"([^"]*)"|(\S+)/g)].map((m) => m[1] ?? m[2])
  const [city, days = '1', ...rest] = words
  if (!city || rest.length || !/^[1-7]$/.test(days)) return ctx.reply(usage)
  await ctx.reply(`${city}: sunny for ${days} days`)
})

tools.command('help', 'what I can do', (ctx) =>
  ctx.reply(tools.commands.map((command) => `/${command.stringName}: ${command.description}`).join('\n')))

bot.use(tools)
bot.on('message:entities:bot_command', async (ctx) => {
  const nearest = ctx.getNearestCommand(tools)
  await ctx.reply(nearest ? `Did you mean ${nearest}?` : 'I do not know this command.')
})
bot.start()
