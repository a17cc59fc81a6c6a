//! A process of bots: a fleet of a config file that answers each text.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    sync::Arc,
    thread,
};

use botroupe::{bot::Reply, prelude::*};

use crate::{Result, count};

/// One in so many replies has a file, half of them a picture.
const MEDIA: usize = 50;

/// Runs the fleet until this process is killed. The words are the config file, the file to which each run of
/// a handler adds a line, and a boundary at which to die.
pub(crate) fn run(mut words: impl Iterator<Item = String>) -> Result<()> {
    let config = words.next().ok_or("no config file")?;
    let log = words.next().ok_or("no file for the runs of handlers")?;
    if let Some(boundary) = words.next() {
        crate::boundary::arm(&boundary)?;
    }
    // The parent holds the other end, and must not be outlived.
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        std::process::exit(3);
    });
    let log = OpenOptions::new().create(true).append(true).open(log)?;
    let log = Arc::new(log);
    let bot = move || Bot::new("judge").state(Arc::clone(&log)).on_text(answer);
    Ok(Fleet::from_config(config).bot(bot).run()?)
}

async fn answer(text: Text, log: State<Arc<File>>) -> Reply {
    let Some(number) = count::number(&text) else {
        return Reply::none();
    };
    // One write, so that a kill leaves a whole line or none.
    if let Err(error) = (&**log).write_all(format!("{number}\n").as_bytes()) {
        return Reply::failed(error);
    }
    let answer = Draft::text(count::reply(number));
    match number % (2 * MEDIA) {
        0 => Reply::file(Outgoing::image(Upload::new("dot.bmp", picture())).after(answer)),
        MEDIA => {
            let bytes = format!("the file of {number}").into_bytes();
            Reply::file(Outgoing::file(Upload::new("note.txt", bytes)).after(answer))
        }
        _ => Reply::message(answer),
    }
}

/// A bitmap of one white dot.
fn picture() -> Vec<u8> {
    let mut bytes = b"BM".to_vec();
    let (header, info, row) = (14_u32, 40_u32, 4_u32);
    for number in [header + info + row, 0, header + info, info, 1, 1] {
        bytes.extend(number.to_le_bytes());
    }
    // Planes and bits of a dot.
    for number in [1_u16, 24] {
        bytes.extend(number.to_le_bytes());
    }
    // No compression, the bytes of the dots, no resolution and no palette.
    for number in [0, row, 0, 0, 0, 0] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend([255, 255, 255, 0]);
    bytes
}
