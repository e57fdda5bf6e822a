//! The table as text and as Markdown.

use std::fmt;

use super::{AccessTable, DeclaredRow, RouteRow, Verdict};
use crate::router::{RULE, declared_label};

impl Verdict {
    /// The cell in the text: `yes`, `-`, `if` or `?`.
    fn sign(self) -> &'static str {
        match self {
            Self::Allowed => "yes",
            Self::Denied => "-",
            Self::Depends => "if",
            Self::Unknown => "?",
        }
    }
}

impl AccessTable {
    /// The table as GitHub Flavored Markdown, with the same columns as the text.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let escaped = |text: &str| {
            let mut escaped = String::new();
            for letter in text.chars() {
                match letter {
                    '&' => escaped += "&amp;",
                    '<' => escaped += "&lt;",
                    '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '~' => escaped.extend(['\\', letter]),
                    _ => escaped.push(letter),
                }
            }
            escaped
        };
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let head = self.head();
        let rule = head.iter().map(|_| "---".to_owned()).collect();
        let mut markdown = line(head.iter().map(|cell| escaped(cell)).collect());
        markdown += &line(rule);
        for row in self.rows() {
            let mut cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
            if let Some(path) = cells.get_mut(1) {
                *path = format!("<code>{path}</code>");
            }
            markdown += &line(cells);
        }
        if let Some(note) = self.note() {
            markdown += &format!("\n{}\n", escaped(&note));
        }
        markdown
    }

    /// What a rule without `from` takes, where another rule has it: a reader could not know otherwise.
    pub(super) fn note(&self) -> Option<String> {
        let is_needed = self.routes.iter().any(|route| route.who.starts_with("from "));
        is_needed.then(|| {
            format!("A rule without \"from\" takes a credential from {}.", self.default_sources.join(" or "))
        })
    }

    fn head(&self) -> Vec<String> {
        let fixed = ["METHOD", "PATH", "anonymous", "no role"].map(str::to_owned);
        let roles = self.roles.iter().map(|role| visible(&role.name));
        fixed.into_iter().chain(roles).chain(["WHO".to_owned()]).collect()
    }

    /// The routes, and then the declared rules.
    fn rows(&self) -> impl Iterator<Item = Vec<String>> {
        self.routes.iter().map(RouteRow::row).chain(self.declared.iter().map(DeclaredRow::row))
    }
}

impl RouteRow {
    fn row(&self) -> Vec<String> {
        let verdicts = [self.anonymous, self.no_role].into_iter().chain(self.cells.iter().copied());
        row(&self.method, &self.path, verdicts, &self.who)
    }
}

impl DeclaredRow {
    /// Its name after the path of its route: `/chat publish`.
    pub(super) fn label(&self) -> String {
        declared_label(self.path.as_deref(), &self.name)
    }

    fn row(&self) -> Vec<String> {
        let verdicts = [Verdict::Denied, self.no_role].into_iter().chain(self.cells.iter().copied());
        row(RULE, &self.label(), verdicts, &self.who)
    }
}

fn row(method: &str, path: &str, verdicts: impl Iterator<Item = Verdict>, who: &str) -> Vec<String> {
    let fixed = [method.to_owned(), visible(path)];
    let signs = verdicts.map(|verdict| verdict.sign().to_owned());
    fixed.into_iter().chain(signs).chain([visible(who)]).collect()
}

/// The text with every character that would end the line, color the terminal or change the direction of writing escaped.
fn visible(text: &str) -> String {
    let is_seen = |letter: char| {
        !letter.is_control()
            && !matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let letters = text
        .chars()
        .map(|letter| if is_seen(letter) { letter.to_string() } else { letter.escape_unicode().to_string() });
    letters.collect()
}

/// Aligned columns. "anonymous" is a caller that sends no credential, "no role" one that has none of the roles. `yes`: the
/// caller is allowed, `-`: denied, `if`: it depends on more than roles, `?`: nothing is known of the route. The method of a rule that is
/// decided outside of requests is `RULE`, and its name follows the path of its route. If any rule names its sources, a line below the table names
/// those of the rules that do not.
impl fmt::Display for AccessTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<Vec<String>> = std::iter::once(self.head()).chain(self.rows()).collect();
        let count = |text: &String| text.chars().count();
        let widths: Vec<usize> = (0..self.roles.len() + 4)
            .map(|column| rows.iter().filter_map(|row| row.get(column)).map(count).max().unwrap_or(0))
            .collect();
        for row in &rows {
            for (cell, width) in row.iter().zip(&widths) {
                write!(f, "{cell:width$}  ")?;
            }
            writeln!(f, "{}", row.last().map_or("", String::as_str))?;
        }
        if let Some(note) = self.note() {
            writeln!(f, "\n{note}")?;
        }
        Ok(())
    }
}
