//! `botroupe dialogues`: what a running process waits for from people.

use super::args::{DialoguesCommand, DialoguesListArgs};
use super::exit::Failure;
use super::report::{padded, span};
use super::{control, unix_now};
use crate::admin::types::{DialogueAt, Receiver};
use std::io::Write;
use unicode_width::UnicodeWidthStr;

/// Carries out a command.
///
/// # Errors
/// When no process answers, it refuses, or nothing can be written.
pub(super) fn dialogues(command: &DialoguesCommand, out: &mut dyn Write) -> Result<(), Failure> {
    match command {
        DialoguesCommand::List(args) => list(args, out),
        DialoguesCommand::Drop { id, config } => control::drop_dialogue(config, id),
    }
}

fn list(args: &DialoguesListArgs, out: &mut dyn Write) -> Result<(), Failure> {
    let all = control::dialogues(&args.config, args.account.as_deref(), args.bot.as_deref())?;
    let lines = match args.json {
        true => all
            .iter()
            .map(|one| serde_json::to_string(one).unwrap_or_default())
            .collect(),
        false => table(&all, unix_now()),
    };
    for line in lines {
        writeln!(out, "{line}").map_err(Failure::Output)?;
    }
    Ok(())
}

fn table(all: &[DialogueAt], now: u64) -> Vec<String> {
    if all.is_empty() {
        return vec!["no dialogue waits for an answer".to_owned()];
    }
    let head = [
        "id", "account", "bot", "where", "person", "left", "question",
    ]
    .map(str::to_owned);
    let rows = all.iter().map(|one| {
        let place = match &one.conversation {
            Receiver::User(_) => "one to one".to_owned(),
            Receiver::Group(group) => format!("group {group}"),
        };
        [
            one.id.clone(),
            one.account.clone(),
            one.bot.clone(),
            place,
            one.person.clone(),
            span(one.deadline.saturating_sub(now)),
            one.question.clone().unwrap_or_default(),
        ]
    });
    let rows: Vec<[String; 7]> = std::iter::once(head).chain(rows).collect();
    let wide = |column: usize| {
        rows.iter()
            .map(|row| row[column].width())
            .max()
            .unwrap_or(0)
    };
    let widths: [usize; 7] = std::array::from_fn(wide);
    let line = |row: &[String; 7]| {
        let cells = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| padded(cell, width));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
