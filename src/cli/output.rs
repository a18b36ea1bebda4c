//! Standard output and standard error of the commands: nothing that cannot be written ends the process by a panic or
//! passes for written, and nothing but text and colours reaches a terminal.

use std::borrow::Cow;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

/// Why a part of standard output was not written.
static LOST: Mutex<Option<io::Error>> = Mutex::new(None);

/// Writes to standard output. A reader that has gone away (`| head`) is no error; what else cannot be written is said by
/// [`settle`].
pub fn print(text: &str) {
    write(&shown(text, io::stdout().is_terminal()));
}

/// [`print`] of a document that may go to a file: not a byte of it is another then.
pub fn print_document(text: &str) {
    match io::stdout().is_terminal() {
        true => write(&shown(text, false)),
        false => write(text),
    }
}

fn write(text: &str) {
    let mut output = io::stdout();
    let written = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        *LOST.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}

/// Writes to standard error. A log that nobody can write to is no reason to stop.
pub fn print_error(text: &str) {
    let mut errors = io::stderr().lock();
    let text = shown(text, io::stderr().is_terminal());
    let _ = errors.write_all(text.as_bytes());
}

/// The exit code of a command that ends with `code`: 2 where a part of its output was lost, which is said.
pub fn settle(code: ExitCode) -> ExitCode {
    match LOST.lock().unwrap_or_else(PoisonError::into_inner).take() {
        None => code,
        Some(reason) => {
            print_error(&format!("cannot write to standard output: {reason}\n"));
            ExitCode::from(2)
        }
    }
}

/// Text with its control characters made visible: a name in a file must not move the cursor, hide what stands beside it
/// or write to the clipboard. Lines, tabs and, for a terminal, colours stay.
pub fn shown(text: &str, colours: bool) -> Cow<'_, str> {
    if !text
        .chars()
        .any(|it| is_control(it) && !matches!(it, '\n' | '\t'))
    {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if let Some(length) = colour(rest).filter(|_| colours) {
            safe.push_str(&rest[..length]);
            rest = &rest[length..];
            continue;
        }
        match character {
            '\n' | '\t' => safe.push(character),
            // Pictures of the control characters.
            '\0'..='\x1f' => safe.extend(char::from_u32(0x2400 + u32::from(character))),
            '\x7f' => safe.push('\u{2421}'),
            character if is_control(character) => {
                safe += &format!("<U+{:04X}>", u32::from(character));
            }
            character => safe.push(character),
        }
        rest = &rest[character.len_utf8()..];
    }
    Cow::Owned(safe)
}

/// Control characters, and those that turn the direction of writing.
fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Bytes of the sequence that `text` begins with, if it sets colours or weights alone: none that blinks or hides.
fn colour(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("\x1b[")?;
    let end = rest.find(|it: char| !it.is_ascii_digit() && it != ';')?;
    let (numbers, rest) = rest.split_at(end);
    let harmless = |number: &str| !matches!(number.trim_start_matches('0'), "5" | "6" | "7" | "8");
    let harmless =
        numbers.starts_with("38;") || numbers.starts_with("48;") || numbers.split(';').all(harmless);
    (harmless && rest.starts_with('m')).then_some(2 + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(shown("a\tb\n", false), "a\tb\n");
        assert_eq!(shown("\x1b]0;title\x07\r\x7f", true), "␛]0;title␇␍␡");
        assert_eq!(shown("\u{9b}2J \u{202e}abc", true), "<U+009B>2J <U+202E>abc");
        assert_eq!(shown("\x1b[1;32myes\x1b[0m", true), "\x1b[1;32myes\x1b[0m");
        assert_eq!(shown("\x1b[38;5;9myes\x1b[39m", true), "\x1b[38;5;9myes\x1b[39m");
        assert_eq!(shown("\x1b[1;32myes", false), "␛[1;32myes");
        assert_eq!(shown("\x1b[8mhidden\x1b[2J", true), "␛[8mhidden␛[2J");
    }
}
