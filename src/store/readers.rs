//! The threads that read beside the writer.

use super::backend::{Backend, Failure, Reader};
use super::error::StoreError;
use std::sync::mpsc as std_mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How many there are.
const READERS: usize = 2;
/// Questions that wait for them.
const QUESTIONS: usize = 64;

type Question = Box<dyn FnOnce(Result<&mut dyn Reader, Failure>) -> bool + Send>;

/// A few threads with a connection each.
#[derive(Debug)]
pub(super) struct Readers {
    questions: Mutex<Option<mpsc::Sender<Question>>>,
    /// Disconnected when all threads have ended.
    ended: Mutex<std_mpsc::Receiver<()>>,
}

impl Readers {
    pub(super) fn start(backend: &Arc<dyn Backend>) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel(QUESTIONS);
        let receiver = Arc::new(Mutex::new(receiver));
        let (end, ended) = std_mpsc::channel::<()>();
        for number in 0..READERS {
            let (receiver, backend) = (Arc::clone(&receiver), Arc::clone(backend));
            let end = end.clone();
            thread::Builder::new()
                .name(format!("store-read-{number}"))
                .spawn(move || {
                    serve(&receiver, &*backend);
                    drop(end);
                })?;
        }
        Ok(Self {
            questions: Mutex::new(Some(sender)),
            ended: Mutex::new(ended),
        })
    }

    /// Asks one of them.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut dyn Reader) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let sender = {
            let sender = self.questions.lock();
            let sender = sender.unwrap_or_else(PoisonError::into_inner);
            sender.clone().ok_or(StoreError::Closed)?
        };
        let (answer, answered) = oneshot::channel();
        let question: Question = Box::new(move |reader| {
            let found = reader.and_then(question);
            let is_well = found.is_ok();
            // Whoever asked may have gone.
            let _ = answer.send(found);
            is_well
        });
        sender
            .send(question)
            .await
            .map_err(|_| StoreError::Closed)?;
        drop(sender);
        Ok(answered.await.map_err(|_| StoreError::Closed)??)
    }

    /// Ends them when what was asked is answered, and waits for that, but no longer than this.
    pub(super) fn close(&self, at_most: Duration) {
        let questions = &self.questions;
        drop(
            questions
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        // Nothing is ever sent: it ends with the last thread.
        let _ = ended.recv_timeout(at_most);
    }
}

fn serve(questions: &Mutex<mpsc::Receiver<Question>>, backend: &dyn Backend) {
    let mut reader: Option<Box<dyn Reader>> = None;
    loop {
        let question = questions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .blocking_recv();
        let Some(question) = question else {
            return;
        };
        let connection = match reader.take() {
            Some(reader) => Ok(reader),
            None => backend.reader(),
        };
        match connection {
            Ok(mut connection) => {
                if question(Ok(&mut *connection)) {
                    reader = Some(connection);
                } // After a failure there is a new connection.
            }
            Err(failure) => {
                question(Err(failure));
            }
        }
    }
}
