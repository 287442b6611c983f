//! A progress bar on the terminal.
//!
//! How to use it: `let bar = Bar::new();`, then `bar.update(stage, done, total)` during the work. Dropping it removes
//! it.

use std::io::{self, IsTerminal as _};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that takes less time than this shows no bar.
const DELAY: Duration = Duration::from_secs(1);
/// How often the bar moves while the work reports nothing.
const TICK: Duration = Duration::from_millis(200);

/// Shows the progress of some work on a terminal, if it takes longer than a second.
pub(super) struct Bar {
    bar: ProgressBar,
    done: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Bar {
    /// A bar on stderr; hidden if stderr is not a terminal.
    pub(super) fn new() -> Self {
        match io::stderr().is_terminal() {
            true => Self::with_delay(ProgressDrawTarget::stderr, DELAY),
            false => Self { bar: ProgressBar::hidden(), done: None, thread: None },
        }
    }

    fn with_delay(target: impl FnOnce() -> ProgressDrawTarget + Send + 'static, delay: Duration) -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        let (done, is_done) = channel::<()>();
        let shown = bar.clone();
        let wait = move || {
            if is_done.recv_timeout(delay) == Err(RecvTimeoutError::Timeout) {
                shown.set_draw_target(target());
                shown.enable_steady_tick(TICK);
            }
        };
        // If the thread cannot start, there is no bar, and the work continues.
        let thread = std::thread::Builder::new().name("progress".into()).spawn(wait).ok();
        Self { bar, done: Some(done), thread }
    }

    /// Shows the stage of the work and how much of it is done. A `total` of 0 means that it is unknown.
    pub(super) fn update(&self, stage: &'static str, done: u64, total: u64) {
        if self.bar.message() != stage {
            let template = if total == 0 { "{spinner} {msg}" } else { "{spinner} {msg} {wide_bar} {percent:>3} %" };
            // With an invalid template the default style stays; the test below would fail.
            if let Ok(style) = ProgressStyle::with_template(template) {
                self.bar.set_style(style);
            }
            self.bar.set_message(stage);
        }
        self.bar.set_length(total);
        self.bar.set_position(done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        drop(self.done.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use indicatif::TermLike;

    use super::*;

    /// A terminal of one line. indicatif's own test terminal needs a feature that the shipped program does not have.
    #[derive(Clone, Debug, Default)]
    struct Terminal(Arc<Mutex<String>>);

    impl Terminal {
        fn contents(&self) -> String {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).trim_end().to_owned()
        }

        fn change(&self, how: impl FnOnce(&mut String)) -> io::Result<()> {
            how(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
            Ok(())
        }

        /// If the cursor left the line, something would remain on the screen.
        fn stays(&self, lines: usize) -> io::Result<()> {
            match lines {
                0 => Ok(()),
                _ => self.change(|line| line.push_str("the cursor left the line")),
            }
        }
    }

    impl TermLike for Terminal {
        fn width(&self) -> u16 {
            60
        }

        fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
            self.stays(lines)
        }

        fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
            self.stays(lines)
        }

        fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
            self.stays(columns)
        }

        fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
            self.stays(columns)
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)?;
            self.stays(1)
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.change(|line| match text.strip_prefix('\r') {
                Some(text) => text.clone_into(line),
                None => line.push_str(text),
            })
        }

        fn clear_line(&self) -> io::Result<()> {
            self.change(String::clear)
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn on(delay: Duration) -> (Bar, Terminal) {
        let terminal = Terminal::default();
        let shown = terminal.clone();
        (Bar::with_delay(move || ProgressDrawTarget::term_like(Box::new(shown)), delay), terminal)
    }

    /// Reports until the terminal shows `wanted`, because the bar is drawn by its own timer.
    fn until_shown(terminal: &Terminal, wanted: &str, report: impl Fn()) {
        for _ in 0..1000 {
            report();
            if terminal.contents().contains(wanted) {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        panic!("{wanted:?} is not shown: {:?}", terminal.contents());
    }

    #[test]
    fn long_work_shows_its_stage_and_leaves_nothing_behind() {
        let (bar, terminal) = on(Duration::from_millis(1));
        until_shown(&terminal, "copying", || bar.update("copying", 1, 4));
        until_shown(&terminal, "25 %", || bar.update("copying", 1, 4));
        until_shown(&terminal, "checking", || bar.update("checking", 0, 0));
        drop(bar);
        assert_eq!(terminal.contents(), "");
    }

    #[test]
    fn short_work_shows_nothing() {
        let (bar, terminal) = on(Duration::from_secs(600));
        bar.update("copying", 1, 4);
        drop(bar);
        assert_eq!(terminal.contents(), "");
    }
}
