import { Context } from 'koishi'

export const name = 'tools'

export function apply(ctx: Context) {
  ctx.command('weather <city:string> [days:posint]', 'the weather of a city')
    .alias('w')
    .action(({ session }, city, days = 1) => {
      if (!city || days > 7) return session?.execute('help weather')
      return `${city}: sunny for ${days} days`
    })
}
