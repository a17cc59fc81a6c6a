# What Botroupe itself says, in English. A bot overrides any of it with `Bot::texts`.

## Help
help-title = Commands:
help-line = { $usage } – { $about }
help-line-bare = { $usage }
help-more = { $help } <command> tells more about one.
help-none = There is nothing here that you may use.
command-help = What the bot can do
help-usage = Usage: { $usage }
help-aliases = Also: { $names }
help-options = Options:
help-arguments = Arguments:
help-argument = { $name }: { $wanted }

## A command that is not one
command-unknown = I do not know { $name }.
command-did-you-mean = I do not know { $name }. Did you mean { $nearest }?
command-not-allowed = You may not use { $name }.
command-wait = Please wait { $time }.

## A command that was written wrongly
usage-missing = { $argument } is missing.
usage-too-many = “{ $written }” is more than I expected.
usage-unclosed = The quote { $quote } is not closed: { $near }
usage-wrong = { $argument }: “{ $written }” is not { $wanted }.
usage-refused = { $argument }: “{ $written }” does not fit: { $reason }
usage-unknown-option = There is no option { $option }.
usage-unknown-option-near = There is no option { $option }. Did you mean { $nearest }?
usage-option-without-value = { $option } needs a value.
usage-option-with-value = { $option } takes no value.
usage-option-twice = { $option } is there twice.

## What an argument is
wanted-text = a text
wanted-character = one character
wanted-whole = a whole number
wanted-whole-from = a whole number from { $from }
wanted-whole-up-to = a whole number up to { $to }
wanted-whole-between = a whole number from { $from } to { $to }
wanted-number = a number
wanted-yes-or-no = yes or no
wanted-duration = a time such as 90s, 30m, 2h or 1d
wanted-user = a user such as @bob
wanted-group = a GroupID
wanted-date = a date such as 2026-12-31, today or tomorrow
wanted-one-of = one of { $choices }
wanted-flag = with or without it

## Pieces
list-separator = { ", " }
duration-days = { $count } d
duration-hours = { $count } h
duration-minutes = { $count } min
duration-seconds = { $count } s
duration-two = { $first } { $second }

## When something ends otherwise than it should
handler-failed = Sorry, something went wrong.
stream-broke-off = (The answer broke off here.)
stream-interrupted = (interrupted)
stream-too-long = (This became too long.)
dialogue-cancelled = OK, cancelled.
dialogue-timed-out = You did not answer in time. Please start again.
dialogue-changed = This dialogue was changed by an update in the meantime. Please start again.
dialogue-too-long = This dialogue has become too long. Please start again.

## When an answer does not fit its question
answer-text = Please answer with a text.
answer-integer = Please answer with a whole number from { $from } to { $to }.
answer-number = Please answer with a number.
answer-yes-or-no = Please answer yes or no.
answer-character = Please answer with one character.
answer-file = Please send a file.
answer-choice = Please choose one of: { $choices }.
answer-unfit = This does not fit, please try again.

## Approvals
approval-question = { $user } asks: { $question }
    Answer “approve { $code }” or “reject { $code }”.
approval-granted = { $code } is approved.
approval-denied = { $code } is rejected.
approval-own = You cannot decide about your own request.
