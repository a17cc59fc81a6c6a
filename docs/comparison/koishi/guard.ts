import { Context, Time } from 'koishi'

declare module 'koishi' {
  interface Tables { warnings: Warnings }
}

interface Warnings { id: string, count: number }

export const name = 'guard'
export const inject = ['database']

export function apply(ctx: Context) {
  ctx.model.extend('warnings', { id: 'string', count: 'unsigned' })

  ctx.middleware(async (session, next) => {
    if (session.isDirect || !/casino|赌博/i.test(session.content ?? '')) return next()
    await session.bot.deleteMessage(session.channelId!, session.messageId!)
    const id = `${session.gid}:${session.userId}`
    const [row] = await ctx.database.get('warnings', { id })
    const count = (row?.count ?? 0) + 1
    await ctx.database.upsert('warnings', [{ id, count }])
    if (count >= 3) await session.bot.muteGuildMember(session.guildId!, session.userId!, 10 * Time.minute)
    return `${session.username}: warning ${count} of 3`
  })
}
