//! Ctrl-C and SIGTERM: whoever has started processes takes them along.
#![expect(clippy::exit, reason = "an interrupted command ends here and nowhere else")]

use std::process::exit;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context as _, Result};
use tokio::signal::unix::{SignalKind, signal};

use crate::cluster::Processes;

/// What a shell reports for a command that ended by SIGINT.
const INTERRUPTED: i32 = 130;

/// From here on an interrupt does this and ends this process.
///
/// # Errors
/// The signal handlers cannot be installed.
pub fn on_interrupt(act: impl FnOnce() + Send + 'static) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    let wait = move || {
        runtime.block_on(async {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        });
        act();
        exit(INTERRUPTED);
    };
    thread::Builder::new().name("interrupt".to_owned()).spawn(wait).context("start a thread")?;
    Ok(())
}

/// From here on an interrupt stops the processes, waits for them, and ends this one.
///
/// # Errors
/// The signal handlers cannot be installed.
pub fn stop_on_interrupt(processes: Arc<Mutex<Processes>>) -> Result<()> {
    on_interrupt(move || {
        let mut processes = processes.lock().unwrap_or_else(PoisonError::into_inner);
        processes.stop();
        // Held until the process ends: nobody starts another node meanwhile.
        std::mem::forget(processes);
    })
}
