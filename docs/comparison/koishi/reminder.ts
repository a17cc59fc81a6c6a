import { Context, Time } from 'koishi'
import {} from 'koishi-plugin-cron'

declare module 'koishi' {
  interface Tables { reminder: Reminder }
}

interface Reminder { id: number, due: Date, platform: string, selfId: string, userId: string, channelId: string, text: string }

export const name = 'reminder'
export const inject = ['database', 'cron']

export function apply(ctx: Context) {
  ctx.model.extend('reminder', {
    id: 'unsigned', due: 'timestamp', platform: 'string', selfId: 'string', userId: 'string', channelId: 'string', text: 'text',
  }, { autoInc: true })

  const timers: Record<number, () => void> = {}
  const schedule = (row: Reminder) => {
    timers[row.id] = ctx.setTimeout(async () => {
      await ctx.bots[`${row.platform}:${row.selfId}`]?.sendMessage(row.channelId, `Remember: ${row.text}`)
      await ctx.database.remove('reminder', { id: row.id })
    }, Math.max(0, row.due.getTime() - Date.now()))
  }
  ctx.on('ready', async () => (await ctx.database.get('reminder', {})).forEach(schedule))

  ctx.command('remind <when:string> <what:text>').action(async ({ session }, when, what) => {
    const time = Time.parseTime(when)
    if (!time || !what) return session?.execute('help remind')
    const { platform, selfId, userId, channelId } = session!
    schedule(await ctx.database.create('reminder', {
      due: new Date(Date.now() + time), platform, selfId, userId, channelId, text: what,
    }))
    return 'I will.'
  })

  const mine = (userId: string) => ctx.database.get('reminder', { userId })

  ctx.command('reminders').action(async ({ session }) => {
    return (await mine(session!.userId!)).map((row, n) => `${n + 1}. ${row.text}`).join('\n')
  })

  ctx.command('forget <number:posint>').action(async ({ session }, number) => {
    const row = (await mine(session!.userId!))[number - 1]
    if (!row) return 'There is no such reminder.'
    timers[row.id]?.()
    await ctx.database.remove('reminder', { id: row.id })
    return 'Forgotten.'
  })

  ctx.cron('0 9 * * *', () => { ctx.broadcast(['platform:team'], 'Good morning!') })
}
