command-warnings = How often somebody was warned
moderator-word = that word is not welcome here.
moderator-link = that link is not welcome here.
moderator-flood = please write more slowly.
moderator-warned = { $user }, { $why }
moderator-recalled = { $user }, { $why } I have taken the message back.
moderator-muted = { $user }, { $why } You cannot write here for { $time }.
moderator-powerless = { $user }, { $why } (I may not do more than say so: make me an administrator.)
moderator-count = { $user } was warned { $count ->
    [one] once
   *[other] { $count } times
} here.
moderator-group = Please ask me in the group.
