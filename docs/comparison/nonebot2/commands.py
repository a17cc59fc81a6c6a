from arclet.alconna import Alconna, Args, CommandMeta
from nonebot import require

require("nonebot_plugin_alconna")
from nonebot_plugin_alconna import Match, on_alconna

weather = on_alconna(
    Alconna("weather", Args["city", str]["days?", range(1, 8), 1],
            meta=CommandMeta(description="the weather of a city", fuzzy_match=True)),
    aliases={"w"}, use_cmd_start=True, skip_for_unmatch=False, auto_send_output=True,
)


@weather.handle()
async def _(city: str, days: Match[int]):
    await weather.finish(f"{city}: sunny for {days.result if days.available else 1} days")
