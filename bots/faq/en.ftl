faq-offer =
    I am not sure what you mean. Is it one of these?
    { $questions }
    Send its number.
