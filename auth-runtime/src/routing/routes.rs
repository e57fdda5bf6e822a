//! The list of all routes, and the table that it prints as.

use std::fmt;

use crate::policy::{Access, Rule};

/// All routes of a router: method, path, handler, rule. Prints as an aligned table.
#[derive(Clone, Debug)]
pub struct Routes {
    pub(super) routes: Vec<RouteInfo>,
}

/// One route.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RouteInfo {
    /// `GET`, or `ANY`. A `GET` route answers `HEAD` too.
    pub method: &'static str,
    /// The path with its parameters, from the outermost router on. A fallback's ends in `(fallback)`.
    pub path: String,
    /// The handler, with its module.
    pub handler: &'static str,
    /// The rules, which must all be kept: those that the routers around the route require, and the route's own.
    pub rules: Vec<Rule>,
    /// The name of the check that must say yes too.
    pub check: Option<&'static str>,
    /// Whether the route came by `merge_unguarded`: nothing is known of it.
    pub unguarded: bool,
}

impl Routes {
    /// The routes, in the order in which they were mounted.
    pub fn iter(&self) -> std::slice::Iter<'_, RouteInfo> {
        self.routes.iter()
    }
}

impl<'a> IntoIterator for &'a Routes {
    type Item = &'a RouteInfo;
    type IntoIter = std::slice::Iter<'a, RouteInfo>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl RouteInfo {
    /// Who is let in, in words.
    #[must_use]
    pub fn who(&self) -> String {
        if self.unguarded {
            return "NOT GUARDED".into();
        }
        let mut words: Vec<String> =
            self.rules.iter().filter(|rule| !rule.requirements().is_empty()).map(Rule::to_string).collect();
        if words.is_empty() {
            let strictest = self.rules.iter().find(|rule| rule.access() == Access::Authenticated);
            words.extend(strictest.or(self.rules.last()).map(Rule::to_string));
        }
        if let Some(check) = self.check {
            words.push(format!("check {check}"));
        }
        words.join("; and ")
    }
}

impl fmt::Display for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["METHOD".to_owned(), "PATH".to_owned(), "WHO".to_owned(), "HANDLER".to_owned()];
        let rows: Vec<[String; 4]> = std::iter::once(header)
            .chain(self.routes.iter().map(|route| {
                [route.method.to_owned(), route.path.clone(), route.who(), route.handler.to_owned()]
            }))
            .collect();
        let width = |column: fn(&[String; 4]) -> &String| {
            rows.iter().map(|row| column(row).chars().count()).max().unwrap_or(0)
        };
        let (methods, paths, who) = (width(|row| &row[0]), width(|row| &row[1]), width(|row| &row[2]));
        for [method, path, rule, handler] in &rows {
            writeln!(f, "{method:methods$}  {path:paths$}  {rule:who$}  {handler}")?;
        }
        Ok(())
    }
}
