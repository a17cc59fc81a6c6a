import re
from datetime import datetime, timedelta

from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from nonebot import get_bot, on_command, require
from nonebot.adapters.onebot.v11 import Message, MessageEvent
from nonebot.params import CommandArg

require("nonebot_plugin_apscheduler")
from nonebot_plugin_apscheduler import scheduler

scheduler.add_jobstore(SQLAlchemyJobStore(url="sqlite:///reminders.db"), "kept")
remind, reminders, forget = on_command("remind"), on_command("reminders"), on_command("forget")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


async def ring(target: dict, text: str):
    await get_bot().send_msg(**target, message=f"Remember: {text}")


def mine(event: MessageEvent):
    return [job for job in scheduler.get_jobs("kept") if job.name == event.get_user_id()]


@remind.handle()
async def _(event: MessageEvent, args: Message = CommandArg()):
    found = re.fullmatch(r"(\d+)([smhd])\s+(.+)", args.extract_plain_text().strip(), re.S)
    if not found:
        await remind.finish("Usage: /remind <when> <what>, as in /remind 2h tea")
    number, unit, text = found.groups()
    group = getattr(event, "group_id", None)
    target = {"group_id": group} if group else {"user_id": event.user_id}
    due = datetime.now() + timedelta(**{UNITS[unit]: int(number)})
    scheduler.add_job(ring, "date", run_date=due, args=(target, text), name=event.get_user_id(),
                      jobstore="kept", misfire_grace_time=None)
    await remind.finish("I will.")


@reminders.handle()
async def _(event: MessageEvent):
    texts = [f"{n}. {job.args[1]}" for n, job in enumerate(mine(event), 1)]
    await reminders.finish("\n".join(texts) or "None.")


@forget.handle()
async def _(event: MessageEvent, args: Message = CommandArg()):
    number, jobs = args.extract_plain_text().strip(), mine(event)
    if not number.isdigit() or not 0 < int(number) <= len(jobs):
        await forget.finish("There is no such reminder.")
    jobs[int(number) - 1].remove()
    await forget.finish("Forgotten.")


@scheduler.scheduled_job("cron", hour=9, timezone="Asia/Shanghai", id="good_morning")
async def _():
    await get_bot().send_group_msg(group_id=100000, message="Good morning!")
