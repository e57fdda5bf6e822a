//! The table as one page, which needs nothing beside it: no script, style or font from elsewhere.

mod serve;

use std::fmt::Write as _;

use super::{AccessTable, Cell, RouteRow};

const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

impl AccessTable {
    /// The table as one self-contained page: filtered by role and path, light or dark as the browser is, usable by keyboard.
    /// [`Router::access_page`](crate::Router::access_page) serves it.
    #[must_use]
    pub fn to_html(&self) -> String {
        let columns = ["nobody", "no role"].into_iter().chain(self.roles.iter().map(|role| &*role.name));
        let columns: Vec<String> = columns.map(escaped).collect();
        let mut options = String::new();
        let mut head = String::new();
        let hints = [Some("sends no credential"), Some("has none of the roles")].into_iter();
        let hints = hints.chain(self.roles.iter().map(|role| role.description.as_deref()));
        for (index, (column, hint)) in columns.iter().zip(hints).enumerate() {
            let title = hint.map(|hint| format!(" title=\"{}\"", escaped(hint))).unwrap_or_default();
            let _ = write!(options, "<option value=\"{index}\">{column}</option>");
            let _ = write!(head, "<th scope=\"col\" data-column=\"{index}\"{title}>{column}</th>");
        }
        let rows: String = self.routes.iter().map(RouteRow::to_html).collect();
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Who may call what</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>Who may call what</h1>\n\
             <label>Path <input id=\"path\" type=\"search\" autocomplete=\"off\" placeholder=\"contains\"></label>\n\
             <label>Role <select id=\"role\"><option value=\"\">all</option>{options}</select></label>\n</header>\n\
             <p id=\"count\" role=\"status\">{} routes</p>\n\
             <main tabindex=\"0\" aria-label=\"Access table\">\n<table>\n<thead><tr><th scope=\"col\">Method</th>\
             <th scope=\"col\">Path</th>{head}<th scope=\"col\">Rule</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n\
             </main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
            self.routes.len()
        )
    }
}

impl RouteRow {
    fn to_html(&self) -> String {
        let cells = [self.anonymous, self.no_role].into_iter().chain(self.cells.iter().copied());
        let cells: String = cells
            .enumerate()
            .map(|(index, cell)| {
                let word = match cell {
                    Cell::Allowed => "allowed",
                    Cell::Denied => "denied",
                    Cell::Depends => "depends",
                    Cell::Unknown => "unknown",
                };
                format!("<td class=\"{word}\" data-column=\"{index}\">{word}</td>")
            })
            .collect();
        format!(
            "<tr data-path=\"{}\"><td class=\"method\">{}</td><th scope=\"row\">{}</th>{cells}<td class=\"who\">{}\
             <span class=\"handler\">{}</span></td></tr>\n",
            escaped(&self.path.to_lowercase()),
            escaped(&self.method),
            escaped(&self.path),
            escaped(&self.who),
            escaped(&self.handler),
        )
    }
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
