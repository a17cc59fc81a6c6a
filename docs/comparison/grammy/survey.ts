import { Bot, type Context } from 'grammy'
import { type Conversation, type ConversationFlavor, conversations, createConversation } from '@grammyjs/conversations'
import { FileAdapter } from '@grammyjs/storage-file'

type Ctx = ConversationFlavor<Context>

async function signup(conversation: Conversation<Ctx, Context>, ctx: Context) {
  await ctx.reply('What is your name?')
  const name = await conversation.form.text()
  await ctx.reply('How old are you?')
  const age = await conversation.form.build({
    collationKey: 'form-age',
    validate: (answer) => {
      const age = Number(answer.msg?.text)
      return age >= 18 ? { ok: true, value: age } : { ok: false }
    },
    otherwise: (answer) => answer.reply('18 or more, please.'),
  })
  await ctx.reply('Which shirt? small or large')
  const size = await conversation.form.select(['small', 'large'], {
    otherwise: (answer) => answer.reply('small or large?'),
  })
  await ctx.reply(`Welcome, ${name} (${age}), size ${size}.`)
}

const bot = new Bot<Ctx>(process.env.TOKEN!)
bot.use(conversations({ storage: new FileAdapter({ dirName: 'conversations' }) }))
bot.command('cancel', async (ctx) => {
  await ctx.conversation.exitAll()
  await ctx.reply('OK, cancelled.')
})
bot.use(createConversation(signup))
bot.command('signup', (ctx) => ctx.conversation.enter('signup'))
bot.start()
