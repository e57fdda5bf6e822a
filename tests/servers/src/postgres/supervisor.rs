//! The shell that starts a server, and ends it when the process of the test ends.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use crate::account::Account;

/// `$0` is the folder of the programs, `$1` that of the server. It answers each line with one: `done`, or nothing if it has failed. When
/// its standard input is closed, it ends the server and removes the folder.
const SCRIPT: &str = r#"
cd "$1" || exit
folder=$1
programs=$0
pg_ctl() { "$programs/pg_ctl" -D "$folder/data" -s "$@" >>"$folder/log" 2>&1 </dev/null; }
start() {
    # Processes of one that was killed can still be there.
    tries=100
    until pg_ctl -w -t 60 -l "$folder/server.log" start; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
    done
}
while read -r command; do
    case $command in
    start) start ;;
    end) pg_ctl -w -m immediate stop ;;
    shut_down) pg_ctl -w -m fast stop ;;
    esac && echo done || { echo "failed: $(tail -n 20 "$folder/log" "$folder/server.log" | tr '\n' ' ')"; }
done
if [ -e "$folder/data/postmaster.pid" ]; then
    read -r server <"$folder/data/postmaster.pid"
    kill -CONT "$server" 2>/dev/null
    pg_ctl -w -m immediate stop || kill -KILL "$server" 2>/dev/null
fi
cd /
rm -rf "$folder"
"#;

#[derive(Debug)]
pub(super) struct Supervisor {
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Supervisor {
    pub(super) fn new(account: Account, programs: &Path, folder: &Path) -> Self {
        let mut child = account
            .command("sh")
            .args(["-c", SCRIPT])
            .args([programs, folder])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (commands, answers) = (child.stdin.take(), child.stdout.take().unwrap());
        Self { child, commands, answers: BufReader::new(answers) }
    }

    /// Starts the server, and returns once it answers.
    pub(super) fn start(&mut self) {
        self.command("start");
    }

    /// Ends the server at once, as if it had crashed.
    pub(super) fn end(&mut self) {
        self.command("end");
    }

    /// Has the server end its connections, and end.
    pub(super) fn shut_down(&mut self) {
        self.command("shut_down");
    }

    fn command(&mut self, line: &str) {
        let mut answer = String::new();
        writeln!(self.commands.as_ref().unwrap(), "{line}").unwrap();
        self.answers.read_line(&mut answer).unwrap();
        assert_eq!(answer.trim(), "done", "PostgreSQL: {line}");
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        drop(self.commands.take());
        let _ = self.child.wait();
    }
}
