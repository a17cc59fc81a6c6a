import { Context } from 'koishi'

declare module 'koishi' {
  interface Tables { signup: Signup }
}

interface Signup { id: string, step: number, name: string, age: number }

export const name = 'club'
export const inject = ['database']

export function apply(ctx: Context) {
  ctx.model.extend('signup', { id: 'string', step: 'unsigned', name: 'string', age: 'unsigned' })

  ctx.command('signup').action(async ({ session }) => {
    await ctx.database.upsert('signup', [{ id: session!.uid, step: 1 }])
    return 'What is your name?'
  })

  ctx.middleware(async (session, next) => {
    const [row] = await ctx.database.get('signup', { id: session.uid })
    if (!row) return next()
    const answer = session.content!.trim()
    const save = (change: Partial<Signup>) => ctx.database.set('signup', { id: session.uid }, change)
    const end = () => ctx.database.remove('signup', { id: session.uid })
    if (answer === 'cancel') {
      await end()
      return 'OK, cancelled.'
    }
    switch (row.step) {
      case 1:
        await save({ step: 2, name: answer })
        return 'How old are you?'
      case 2:
        if (!/^\d+$/.test(answer) || +answer < 18) return '18 or more, please.'
        await save({ step: 3, age: +answer })
        return 'Which shirt? small or large'
      default:
        if (answer !== 'small' && answer !== 'large') return 'small or large?'
        await end()
        return `Welcome, ${row.name} (${row.age}), size ${answer}.`
    }
  })
}
