command-forget = Forgets what was said before
llm-label = (written by an AI)
llm-budget = That was enough for today. Please ask me again tomorrow.
llm-nothing = Please ask me something.
llm-forgotten = I have forgotten what we said before.
