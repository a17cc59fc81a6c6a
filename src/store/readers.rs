//! The threads that read beside the writer.

use super::backend::{Backend, Failure, Reader};
use super::error::StoreError;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
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
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Readers {
    pub(super) fn start(backend: &Arc<dyn Backend>) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel(QUESTIONS);
        let receiver = Arc::new(Mutex::new(receiver));
        let mut threads = Vec::new();
        for number in 0..READERS {
            let (receiver, backend) = (Arc::clone(&receiver), Arc::clone(backend));
            threads.push(
                thread::Builder::new()
                    .name(format!("store-read-{number}"))
                    .spawn(move || serve(&receiver, &*backend))?,
            );
        }
        Ok(Self {
            questions: Mutex::new(Some(sender)),
            threads: Mutex::new(threads),
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

    /// Ends them when what was asked is answered.
    pub(super) fn close(&self) {
        drop(
            self.questions
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // One that panicked has left the same message as any other.
            let _ = thread.join();
        }
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
