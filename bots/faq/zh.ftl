faq-offer =
    我不太明白您的意思。您想问的是：
    { $questions }
    请回复编号。
