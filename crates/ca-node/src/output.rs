//! What people see: data on stdout, talk on stderr.

use std::io::{IsTerminal as _, Write as _};

use indicatif::{ProgressBar, ProgressStyle};

use crate::columns::Columns;

/// Lines of a table that a person waits for.
static TABLE: Columns = Columns::new();

/// A line that a program may read; fields are separated by tabs, and on a terminal stand under each other.
pub(crate) fn data(text: &str) {
    if text.contains('\t') && std::io::stdout().is_terminal() {
        print(TABLE.hold(text));
        return;
    }
    flush();
    print([text.to_owned()]);
}

/// Shows what still waits to be aligned.
pub(crate) fn flush() {
    print(TABLE.release());
}

fn print(lines: impl IntoIterator<Item = String>) {
    for line in lines {
        // Nobody reads any more: nothing is left to say.
        let _ = writeln!(std::io::stdout(), "{line}");
    }
}

/// A line for people.
pub(crate) fn talk(text: &str) {
    flush();
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The record of a thing that was made.
pub(crate) fn made(label: &str, value: &str) {
    talk(&format!("✔ {label}: {value}"));
}

/// How far a long command is: drawn on stderr if that is a terminal, and gone when the command ends.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Nothing is done yet of what nobody has counted.
    pub(crate) fn begin(what: &'static str) -> Self {
        let bar = ProgressBar::new_spinner().with_message(what);
        // The template is a literal; were it wrong, the bar would have its plain looks.
        if let Ok(style) =
            ProgressStyle::with_template("{spinner} {msg}: {human_pos} in {elapsed}, {per_sec}")
        {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// So many more are done.
    pub(crate) fn add(&self, count: usize) {
        self.0.inc(u64::try_from(count).unwrap_or_default());
    }

    /// A line that a program may read, beside the drawing.
    pub(crate) fn data(&self, text: &str) {
        self.0.suspend(|| data(text));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Logs to stderr: for people on a terminal, JSON otherwise.
pub(crate) fn logging(filter: &str) {
    let filter = tracing_subscriber::EnvFilter::new(filter);
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        builder.compact().init();
    } else {
        builder.json().flatten_event(true).init();
    }
}

/// As [`ask`]; `custom` where there is no terminal, or no answer.
pub(crate) fn ask_or(question: &str, custom: String) -> String {
    ask(&format!("{question} [{custom}]")).unwrap_or(custom)
}

/// What the person at the terminal answers; `None` where there is no terminal, or no answer.
pub(crate) fn ask(question: &str) -> Option<String> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return None;
    }
    let _ = write!(std::io::stderr(), "{question}: ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).ok()?;
    Some(answer.trim().to_owned()).filter(|answer| !answer.is_empty())
}
