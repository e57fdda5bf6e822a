//! A command or a script with its keys and arguments.

use std::sync::LazyLock;

use ::redis::aio::{ConnectionLike as _, MultiplexedConnection};
use ::redis::{Cmd, Script, ToRedisArgs, Value, cmd, from_redis_value, pipe};

use super::failure::Failure;

/// A script that is compiled in.
pub(super) type StaticScript = LazyLock<Script>;

/// A command or a script with its keys and arguments.
pub(super) struct Request {
    command: Cmd,
    script: Option<&'static Script>,
    next: Option<Next>,
    is_write: bool,
}

/// What is executed after a script, in one transaction.
struct Next {
    command: Cmd,
    /// The argument with which the script does the same by itself.
    argument: usize,
}

/// How many replicas must acknowledge a write, and for how many milliseconds they are waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replicas {
    pub(super) required: u32,
    pub(super) milliseconds: u64,
}

impl Request {
    /// A command that changes nothing.
    pub(super) fn read(name: &str) -> Self {
        Self { command: cmd(name), script: None, next: None, is_write: false }
    }

    /// A command that changes something.
    pub(super) fn write(name: &str) -> Self {
        Self { command: cmd(name), script: None, next: None, is_write: true }
    }

    /// A script that changes nothing.
    pub(super) fn read_script(script: &'static StaticScript, keys: &[impl AsRef<str>]) -> Self {
        let script: &'static Script = script;
        let mut command = cmd("EVALSHA");
        command.arg(script.get_hash()).arg(keys.len());
        for key in keys {
            command.arg(key.as_ref());
        }
        Self { command, script: Some(script), next: None, is_write: false }
    }

    /// A script that changes something.
    pub(super) fn write_script(script: &'static StaticScript, keys: &[impl AsRef<str>]) -> Self {
        Self { is_write: true, ..Self::read_script(script, keys) }
    }

    pub(super) fn arg(mut self, argument: impl ToRedisArgs) -> Self {
        self.command.arg(argument);
        self
    }

    /// Has a command be executed after the script, in one transaction. Neither changes anything. The answer is a pair of theirs. A server
    /// whose memory is full accepts no transaction: there the script has one argument more, and answers the same.
    pub(super) fn with_next(self, command: Cmd, argument: usize) -> Self {
        Self { next: Some(Next { command, argument }), ..self }
    }

    pub(super) fn is_write(&self) -> bool {
        self.is_write
    }

    /// Sends it, with the script if the server does not have it.
    pub(super) async fn send(
        &self,
        connection: &mut MultiplexedConnection,
        replicas: Option<Replicas>,
    ) -> Result<Value, Failure> {
        match (self.send_once(connection, replicas).await, self.script) {
            (Err(failure), Some(script)) if failure.is_missing_script() => {
                script.load_async(connection).await?;
                self.send_once(connection, replicas).await
            }
            (sent, _) => sent,
        }
    }

    async fn send_once(
        &self,
        connection: &mut MultiplexedConnection,
        replicas: Option<Replicas>,
    ) -> Result<Value, Failure> {
        if let Some(next) = &self.next {
            return self.send_with(next, connection).await;
        }
        let Some(Replicas { required, milliseconds }) = replicas.filter(|_| self.is_write) else {
            // The answer is an error of the command, too.
            return Ok(connection.req_packed_command(&self.command).await?.extract_error()?);
        };
        let mut pipeline = pipe();
        pipeline.add_command(self.command.clone()).cmd("WAIT").arg(required).arg(milliseconds);
        let (answer, acknowledged): (Value, u32) = pipeline.query_async(connection).await?;
        if acknowledged < required {
            return Err(Failure::TooFewReplicas { acknowledged, required });
        }
        Ok(answer)
    }

    async fn send_with(&self, next: &Next, connection: &mut MultiplexedConnection) -> Result<Value, Failure> {
        let mut transaction = pipe();
        transaction.atomic().add_command(self.command.clone()).add_command(next.command.clone());
        match transaction.query_async(connection).await.map_err(Failure::from) {
            Err(failure) if failure.is_of_memory() => {
                let mut alone = self.command.clone();
                alone.arg(next.argument);
                Ok(connection.req_packed_command(&alone).await?.extract_error()?)
            }
            answer => answer,
        }
    }
}

/// Reads an answer.
pub(super) fn read_answer<T: ::redis::FromRedisValue>(answer: Value) -> Result<T, Failure> {
    Ok(from_redis_value(answer)?)
}
