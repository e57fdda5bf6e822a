//! What a port prints: lines for a second terminal.
#![allow(clippy::print_stdout, reason = "it prints to the terminal of the person who started it")]

/// Lines of `curl` for a server, in groups that say what to look at.
#[derive(Debug)]
pub struct Lines {
    origin: String,
    groups: Vec<(&'static str, Vec<String>)>,
}

impl Lines {
    /// For a server at this origin, such as `http://127.0.0.1:3000`.
    #[must_use]
    pub fn new(origin: impl Into<String>) -> Self {
        Self { origin: origin.into(), groups: Vec::new() }
    }

    /// Adds a group, which says what to look at.
    #[must_use]
    pub fn group(mut self, look_at: &'static str) -> Self {
        self.groups.push((look_at, Vec::new()));
        self
    }

    /// Adds a request to the group: options of `curl`, such as `-H "Authorization: Bearer $TOKEN"`, and a path.
    #[must_use]
    pub fn curl(self, options: &str, path: &str) -> Self {
        let line = format!("curl -i {}'{}{path}'", separated(options), self.origin);
        self.line(line)
    }

    /// Adds a request whose answer has a token, or another text in a field of JSON, which the line puts into a variable of the shell.
    #[must_use]
    pub fn variable(self, name: &str, field: &str, options: &str, path: &str) -> Self {
        let field = format!(r#"sed 's/.*"{field}":"\([^"]*\)".*/\1/'"#);
        let line = format!("{name}=$(curl -s {}'{}{path}' | {field})", separated(options), self.origin);
        self.line(line)
    }

    /// Adds a line as it is.
    #[must_use]
    pub fn line(mut self, line: String) -> Self {
        if let Some((_, lines)) = self.groups.last_mut() {
            lines.push(line);
        }
        self
    }

    /// Prints all of them. Each line begins with two spaces, which is what `Program::run_the_lines` of the tests looks for.
    pub fn print(&self) {
        println!("Run these lines in a second terminal. The first line of each answer is the status.");
        for (look_at, lines) in &self.groups {
            println!("\n{look_at}\n");
            lines.iter().for_each(|line| println!("  {line}"));
        }
        println!("\nCtrl-C ends it.");
    }
}

fn separated(options: &str) -> String {
    if options.is_empty() { String::new() } else { format!("{options} ") }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn lines_are_those_of_a_shell() {
        let lines = Lines::new("http://h")
            .group("Look:")
            .variable("TOKEN", "access_token", "-d 'a=b'", "/login")
            .curl("-H \"Authorization: Bearer $TOKEN\"", "/me")
            .curl("", "/?a=b&c=d");
        assert_eq!(
            lines.groups,
            [(
                "Look:",
                [
                    r#"TOKEN=$(curl -s -d 'a=b' 'http://h/login' | sed 's/.*"access_token":"\([^"]*\)".*/\1/')"#,
                    r#"curl -i -H "Authorization: Bearer $TOKEN" 'http://h/me'"#,
                    "curl -i 'http://h/?a=b&c=d'",
                ]
                .map(str::to_owned)
                .to_vec()
            )]
        );
    }
}
