import json

from nonebot import on_command, on_message, require
from nonebot.adapters.onebot.v11 import MessageEvent
from nonebot.matcher import Matcher

require("nonebot_plugin_localstore")
import nonebot_plugin_localstore as store

# `got` keeps its answers in memory; what is to survive a restart is kept by hand.
path = store.get_plugin_data_file("signup.json")
rows: dict[str, dict] = json.loads(path.read_text()) if path.exists() else {}


def save():
    path.write_text(json.dumps(rows))


signup = on_command("signup")


@signup.handle()
async def _(event: MessageEvent):
    rows[event.get_session_id()] = {"step": 1}
    save()
    await signup.finish("What is your name?")


async def is_asked(event: MessageEvent) -> bool:
    return event.get_session_id() in rows


answers = on_message(rule=is_asked)


@answers.handle()
async def _(event: MessageEvent, matcher: Matcher):
    key, answer = event.get_session_id(), event.get_plaintext().strip()
    row = rows[key]
    if answer == "cancel":
        del rows[key]
        said = "OK, cancelled."
    elif row["step"] == 1:
        row.update(step=2, name=answer)
        said = "How old are you?"
    elif row["step"] == 2:
        if answer.isdigit() and int(answer) >= 18:
            row.update(step=3, age=int(answer))
            said = "Which shirt? small or large"
        else:
            said = "18 or more, please."
    elif answer in ("small", "large"):
        del rows[key]
        said = f"Welcome, {row['name']} ({row['age']}), size {answer}."
    else:
        said = "small or large?"
    save()
    await matcher.finish(said)
