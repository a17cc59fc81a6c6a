//! The bots of this program: one file each, one line each.

botroupe::bots! {
    counter,
    echo,
    faq,
    moderator,
    reminder,
    survey,
    welcome,
}
