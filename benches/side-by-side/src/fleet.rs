//! Our own fleet over links without sockets. Over TCP the program `botroupe` is measured as it is.

use crate::error::Result;
use crate::plug::Plug;
use botroupe::app::App;
use botroupe::bot::Bots;
use botroupe::config::{Config, Sources};
use botroupe::prelude::*;
use clap::Args;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

/// A fleet.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// Its config file.
    #[arg(long)]
    pub(crate) config: PathBuf,
    /// The Unix socket of its links.
    #[arg(long)]
    pub(crate) links: PathBuf,
}

fn echo() -> Bot {
    Bot::new("echo").on_text(answer)
}

async fn answer(text: Text) -> String {
    text.into_inner()
}

/// Runs until it is killed.
pub(crate) fn run(options: &Options) -> Result<()> {
    let text = std::fs::read_to_string(&options.config)?;
    let (file, env) = (options.config.display().to_string(), BTreeMap::new());
    let config = Config::parse(Sources::new(&file, &text, &env).known_bots(&["echo"]))?;
    let plug = Plug::connect(&options.links)?;
    let bots = Bots::new().with("echo", echo);
    actix_rt::System::new().block_on(async {
        let connector = Arc::new(move || Rc::new(plug.clone()) as Rc<_>);
        let _app = App::start_over(&config, &bots, None, HashMap::new(), connector).await?;
        std::future::pending().await
    })
}
