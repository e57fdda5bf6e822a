//! The table as one self-contained page: no script, style or font from elsewhere.

mod serve;

use std::fmt::Write as _;

use super::{AccessTable, DeclaredRow, RouteRow, Verdict};
use crate::router::RULE;

const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

impl AccessTable {
    /// The table as one self-contained page: filtered by role and path, light or dark as the browser is, usable by keyboard
    /// and on a phone. [`Router::access_page`](crate::Router::access_page) serves it.
    #[must_use]
    pub fn to_html(&self) -> String {
        let columns = self.columns();
        let mut options = String::new();
        let mut head = String::new();
        for (index, Column { name, hint }) in columns.iter().enumerate() {
            let title = hint.as_deref().map(|hint| format!(" title=\"{hint}\"")).unwrap_or_default();
            let _ = write!(options, "<option value=\"{index}\">{name}</option>");
            let _ = write!(head, "<th scope=\"col\" data-column=\"{index}\"{title}>{name}</th>");
        }
        let routes = self.routes.iter().map(|route| route.to_html(&columns));
        let rows: String = routes.chain(self.declared.iter().map(|rule| rule.to_html(&columns))).collect();
        let note = self.note().map(|note| format!(" <span>{}</span>", escaped(&note))).unwrap_or_default();
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{TITLE}</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{TITLE}</h1>\n\
             <label>Path <input id=\"path\" type=\"search\" autocomplete=\"off\" placeholder=\"contains\"></label>\n\
             <label>Role <select id=\"role\"><option value=\"\">all</option>{options}</select></label>\n\
             <p><span id=\"count\" role=\"status\">{} routes</span> <span>{LEGEND}</span>{note}</p>\n</header>\n\
             <main tabindex=\"0\" aria-label=\"Access table\">\n<table>\n<thead><tr><th scope=\"col\">Method</th>\
             <th scope=\"col\">Path</th>{head}<th scope=\"col\">Rule</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n\
             </main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
            self.routes.len() + self.declared.len()
        )
    }

    /// The columns of verdicts, escaped.
    fn columns(&self) -> Vec<Column> {
        let fixed = [
            ("anonymous", Some("a caller that sends no credential")),
            ("no role", Some("a caller that has none of the roles")),
        ];
        let roles = self.roles.iter().map(|role| (&*role.name, role.description.as_deref()));
        let columns = fixed.into_iter().chain(roles);
        columns.map(|(name, hint)| Column { name: escaped(name), hint: hint.map(escaped) }).collect()
    }
}

const TITLE: &str = "Who may call what";
const LEGEND: &str = "The column of a role is about a caller that has this role and what it implies, and no other role. \
                      <em>depends</em>: the rule asks for more than roles.";

/// The head of a column of verdicts.
struct Column {
    name: String,
    hint: Option<String>,
}

impl RouteRow {
    fn to_html(&self, columns: &[Column]) -> String {
        let verdicts = [self.anonymous, self.no_role].into_iter().chain(self.cells.iter().copied());
        let (handler, short) = (escaped(&self.handler), escaped(&shortened(&self.handler)));
        let handler = format!("<span class=\"handler\" title=\"{handler}\">{short}</span>");
        row(&self.method, &self.path, &cells(verdicts, columns), &self.who, &handler)
    }
}

impl DeclaredRow {
    fn to_html(&self, columns: &[Column]) -> String {
        let verdicts = [Verdict::Denied, self.no_role].into_iter().chain(self.cells.iter().copied());
        row(RULE, &self.label(), &cells(verdicts, columns), &self.who, "")
    }
}

/// A row, of which `cells` and `handler` are HTML.
fn row(method: &str, path: &str, cells: &str, who: &str, handler: &str) -> String {
    format!(
        "<tr data-path=\"{}\"><td class=\"method\">{}</td><th scope=\"row\">{}</th>{cells}<td class=\"rule\">{}{handler}</td></tr>\n",
        escaped(&path.to_lowercase()),
        escaped(method),
        escaped(path),
        escaped(who),
    )
}

fn cells(verdicts: impl Iterator<Item = Verdict>, columns: &[Column]) -> String {
    let cells = verdicts.zip(columns).enumerate().map(|(index, (verdict, Column { name, .. }))| {
        let word = verdict.word();
        format!("<td class=\"{word}\" data-column=\"{index}\" data-name=\"{name}\">{word}</td>")
    });
    cells.collect()
}

impl Verdict {
    /// The verdict, as the page shows it and as its style names it.
    fn word(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Depends => "depends",
            Self::Unknown => "unknown",
        }
    }
}

/// The last two segments of each path in a handler's name: `session::routes::log_in` is shown as `routes::log_in`.
fn shortened(handler: &str) -> String {
    let is_between = |letter: char| "<>()[],; &+=".contains(letter);
    let parts = handler.split_inclusive(is_between).map(|part| {
        let start = part.rmatch_indices("::").nth(1).map_or(0, |(index, separator)| index + separator.len());
        part.get(start..).unwrap_or(part)
    });
    parts.collect()
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, letter| {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(letter),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn a_handler_is_shown_by_its_last_two_segments() {
        for (handler, shown) in [
            ("home", "home"),
            ("quickstart::home", "quickstart::home"),
            ("auth_runtime::session::routes::log_in", "routes::log_in"),
            ("app::api::Mounted<app::api::v1::Users, app::Db>", "api::Mounted<v1::Users, app::Db>"),
            ("app::api::list::{{closure}}", "list::{{closure}}"),
            ("[service]", "[service]"),
            ("", ""),
        ] {
            assert_eq!(shortened(handler), shown);
        }
    }
}
