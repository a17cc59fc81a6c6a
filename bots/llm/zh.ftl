command-forget = 忘记之前的对话
llm-label = （由人工智能生成）
llm-budget = 您今天的用量已用完，请明天再问我。
llm-nothing = 请问我一个问题。
llm-forgotten = 我已忘记之前的对话。
