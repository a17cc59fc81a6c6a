//! The console: a page and its files, which hold no data and need no token.

use super::{Room, path};
use actix_web::http::header;
use actix_web::{HttpResponse, web};
use utoipa::openapi::OpenApi;

pub(super) const ROOM: Room = Room {
    mount: |config| {
        config.service(path("/").route(web::get().to(to_console)));
        config.service(path("/console").route(web::get().to(to_console)));
        for file in FILES {
            let page = path(&format!("/console/{}", file.name));
            config.service(page.route(web::get().to(move || async { answer(file) })));
        }
    },
    describe: OpenApi::default,
};

/// Scripts and styles come from here only; whatever gets into the page otherwise does not run.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

struct File {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

macro_rules! files {
    ($($name:literal $path:literal $kind:expr;)*) => {
        &[$(File {
            name: $name,
            kind: $kind,
            text: include_str!(concat!("../console/", $path)),
        }),*]
    };
}

const FILES: &[File] = files! {
    "" "index.html" HTML;
    "style.css" "style.css" "text/css; charset=utf-8";
    "icon.svg" "icon.svg" "image/svg+xml";
    "main.js" "main.js" SCRIPT;
    "api.js" "api.js" SCRIPT;
    "dom.js" "dom.js" SCRIPT;
    "words.js" "words.js" SCRIPT;
    "picture.js" "picture.js" SCRIPT;
    "fleet-store.js" "fleet-store.js" SCRIPT;
    "fleet.js" "fleet.js" SCRIPT;
    "account.js" "account.js" SCRIPT;
    "alerts.js" "alerts.js" SCRIPT;
    "audit.js" "audit.js" SCRIPT;
    "bots.js" "bots.js" SCRIPT;
    "config.js" "config.js" SCRIPT;
    "conversations.js" "conversations.js" SCRIPT;
    "dialogues.js" "dialogues.js" SCRIPT;
    "log.js" "log.js" SCRIPT;
    "outbox.js" "outbox.js" SCRIPT;
    "settings.js" "settings.js" SCRIPT;
    "talk.js" "talk.js" SCRIPT;
};

fn answer(file: &File) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(file.kind)
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .body(file.text)
}

async fn to_console() -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, "/console/"))
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_file_is_served_and_nothing_comes_from_elsewhere() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/admin/console");
        let there: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let served: BTreeSet<String> = FILES
            .iter()
            .map(|file| match file.name {
                "" => "index.html".to_owned(),
                name => name.to_owned(),
            })
            .collect();
        assert_eq!(there, served);
        for file in FILES {
            for forbidden in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "https://",
                "style=\"",
                "onclick=\"",
            ] {
                assert!(!file.text.contains(forbidden), "{}: {forbidden}", file.name);
            }
        }
    }
}
