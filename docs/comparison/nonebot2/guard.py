import json

from nonebot import on_regex, require
from nonebot.adapters.onebot.v11 import Bot, GroupMessageEvent

require("nonebot_plugin_localstore")
import nonebot_plugin_localstore as store

path = store.get_plugin_data_file("warnings.json")
warnings: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
guard = on_regex(r"(?i)casino|赌博")


@guard.handle()
async def _(bot: Bot, event: GroupMessageEvent):
    await bot.delete_msg(message_id=event.message_id)
    key = event.get_session_id()
    warnings[key] = warnings.get(key, 0) + 1
    path.write_text(json.dumps(warnings))
    if warnings[key] >= 3:
        await bot.set_group_ban(group_id=event.group_id, user_id=event.user_id, duration=600)
    await guard.finish(f"{event.sender.nickname}: warning {warnings[key]} of 3")
