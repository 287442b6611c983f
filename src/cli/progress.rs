//! A bar on the terminal for what takes its time.
//!
//! How to use it: `let bar = Bar::new();`, `bar.at(what, done, total)` as the work goes on; it is gone with the value.

use std::io::{self, IsTerminal as _};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What takes less time than this shows no bar.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the bar moves where the work itself tells nothing.
const TICK: Duration = Duration::from_millis(200);

/// Shows how far some work is: on a terminal, from its second second on.
pub(super) struct Bar {
    bar: ProgressBar,
    done: Option<Sender<()>>,
    waits: Option<JoinHandle<()>>,
}

impl Bar {
    /// A bar on stderr, which may be no terminal.
    pub(super) fn new() -> Self {
        match io::stderr().is_terminal() {
            true => Self::on(ProgressDrawTarget::stderr, PATIENCE),
            false => Self { bar: ProgressBar::hidden(), done: None, waits: None },
        }
    }

    fn on(target: impl FnOnce() -> ProgressDrawTarget + Send + 'static, patience: Duration) -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        let (done, is_done) = channel::<()>();
        let shown = bar.clone();
        let wait = move || {
            if is_done.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                shown.set_draw_target(target());
                shown.enable_steady_tick(TICK);
            }
        };
        // Without a thread there is no bar, and the work goes on.
        let waits = std::thread::Builder::new().name("progress".into()).spawn(wait).ok();
        Self { bar, done: Some(done), waits }
    }

    /// Tells what is being done and how much of it is: `total` 0 is not known.
    pub(super) fn at(&self, what: &'static str, done: u64, total: u64) {
        if self.bar.message() != what {
            let template = if total == 0 { "{spinner} {msg}" } else { "{spinner} {msg} {wide_bar} {percent:>3} %" };
            // A template that is wrong leaves the usual style; the test below sees it.
            if let Ok(style) = ProgressStyle::with_template(template) {
                self.bar.set_style(style);
            }
            self.bar.set_message(what);
        }
        self.bar.set_length(total);
        self.bar.set_position(done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        drop(self.done.take());
        if let Some(waits) = self.waits.take() {
            let _ = waits.join();
        }
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use indicatif::TermLike;

    use super::*;

    /// A terminal of one line, which is what a bar takes. (indicatif's own for tests is a feature that the program
    /// would be tested with and shipped without.)
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

        /// A cursor that leaves the line would leave something behind.
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

    fn on(patience: Duration) -> (Bar, Terminal) {
        let terminal = Terminal::default();
        let shown = terminal.clone();
        (Bar::on(move || ProgressDrawTarget::term_like(Box::new(shown)), patience), terminal)
    }

    /// Reports until the terminal shows `wanted`: the ticks come by themselves, in their own time.
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
    fn what_takes_long_shows_what_it_does_and_leaves_nothing_behind() {
        let (bar, terminal) = on(Duration::from_millis(1));
        until_shown(&terminal, "copying", || bar.at("copying", 1, 4));
        until_shown(&terminal, "25 %", || bar.at("copying", 1, 4));
        until_shown(&terminal, "checking", || bar.at("checking", 0, 0));
        drop(bar);
        assert_eq!(terminal.contents(), "");
    }

    #[test]
    fn what_is_done_soon_shows_nothing() {
        let (bar, terminal) = on(Duration::from_secs(600));
        bar.at("copying", 1, 4);
        drop(bar);
        assert_eq!(terminal.contents(), "");
    }
}
