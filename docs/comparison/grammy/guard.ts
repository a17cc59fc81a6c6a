import { Bot, type Context, session, type SessionFlavor } from 'grammy'
import { FileAdapter } from '@grammyjs/storage-file'

type Ctx = Context & SessionFlavor<{ warnings: number }>

const bot = new Bot<Ctx>(process.env.TOKEN!)
bot.use(session({
  initial: () => ({ warnings: 0 }),
  getSessionKey: (ctx) => ctx.from && ctx.chat && `${ctx.chat.id}-${ctx.from.id}`,
  storage: new FileAdapter({ dirName: 'warnings' }),
}))

bot.chatType(['group', 'supergroup']).hears(/casino|赌博/i, async (ctx) => {
  await ctx.deleteMessage()
  const warning = ++ctx.session.warnings
  if (warning >= 3) {
    await ctx.restrictAuthor({ can_send_messages: false }, { until_date: Math.floor(Date.now() / 1000) + 600 })
  }
  await ctx.reply(`${ctx.from.first_name}: warning ${warning} of 3`)
})
bot.start()
