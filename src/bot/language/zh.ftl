# Botroupe 自身的中文文本。机器人可以用 `Bot::texts` 覆盖其中任何一条。

## 帮助
help-title = 命令：
help-line = { $usage } – { $about }
help-line-bare = { $usage }
help-more = 发送“{ $help } <命令>”查看某个命令的用法。
help-none = 这里没有您可以使用的命令。
command-help = 查看机器人能做什么
help-usage = 用法：{ $usage }
help-aliases = 别名：{ $names }
help-options = 选项：
help-arguments = 参数：
help-argument = { $name }：{ $wanted }

## 不存在或不能使用的命令
command-unknown = 没有 { $name } 这个命令。
command-did-you-mean = 没有 { $name } 这个命令，您是不是想用 { $nearest }？
command-not-allowed = 您没有使用 { $name } 的权限。
command-wait = 请等待 { $time }。

## 写错的命令
usage-missing = 缺少 { $argument }。
usage-too-many = 多了“{ $written }”。
usage-unclosed = 引号 { $quote } 没有闭合：{ $near }
usage-wrong = { $argument }：“{ $written }”不是{ $wanted }。
usage-refused = { $argument }：“{ $written }”不合适：{ $reason }
usage-unknown-option = 没有 { $option } 这个选项。
usage-unknown-option-near = 没有 { $option } 这个选项，您是不是想用 { $nearest }？
usage-option-without-value = { $option } 需要一个值。
usage-option-with-value = { $option } 后面不能有值。
usage-option-twice = { $option } 出现了两次。

## 参数的类型
wanted-text = 文字
wanted-character = 一个字符
wanted-whole = 整数
wanted-whole-from = 不小于 { $from } 的整数
wanted-whole-up-to = 不大于 { $to } 的整数
wanted-whole-between = { $from } 到 { $to } 之间的整数
wanted-number = 数字
wanted-yes-or-no = “是”或“否”
wanted-duration = 时长，例如 90秒、30分钟、2小时 或 1天
wanted-user = 用户，例如 @bob
wanted-group = 群 ID
wanted-date = 日期，例如 2026-12-31、今天 或 明天
wanted-one-of = 下列之一：{ $choices }
wanted-flag = 可写可不写

## 零件
list-separator = 、
duration-days = { $count }天
duration-hours = { $count }小时
duration-minutes = { $count }分钟
duration-seconds = { $count }秒
duration-two = { $first }{ $second }

## 意外结束时
handler-failed = 抱歉，出错了。
stream-broke-off = （回答在此中断）
stream-interrupted = （已被打断）
stream-too-long = （内容过长，已截断）
dialogue-cancelled = 好的，已取消。
dialogue-timed-out = 您没有及时回答，请重新开始。
dialogue-changed = 这个对话在此期间因更新而改变，请重新开始。
dialogue-too-long = 这个对话太长了，请重新开始。

## 回答与问题不符时
answer-text = 请用文字回答。
answer-integer = 请回答 { $from } 到 { $to } 之间的整数。
answer-number = 请回答一个数字。
answer-yes-or-no = 请回答“是”或“否”。
answer-character = 请回答一个字。
answer-file = 请发送一个文件。
answer-choice = 请从以下选项中选择：{ $choices }。
answer-unfit = 这个回答不合适，请再试一次。

## 审批
approval-question = { $user } 请求：{ $question }
    请回复“同意 { $code }”或“拒绝 { $code }”。
approval-granted = { $code } 已批准。
approval-denied = { $code } 已拒绝。
approval-own = 不能审批自己的请求。
