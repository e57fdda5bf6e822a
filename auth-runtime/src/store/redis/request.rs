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
    is_write: bool,
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
        Self { command: cmd(name), script: None, is_write: false }
    }

    /// A command that changes something.
    pub(super) fn write(name: &str) -> Self {
        Self { command: cmd(name), script: None, is_write: true }
    }

    /// A script that changes nothing.
    pub(super) fn read_script(script: &'static StaticScript, keys: &[impl AsRef<str>]) -> Self {
        let script: &'static Script = script;
        let mut command = cmd("EVALSHA");
        command.arg(script.get_hash()).arg(keys.len());
        for key in keys {
            command.arg(key.as_ref());
        }
        Self { command, script: Some(script), is_write: false }
    }

    /// A script that changes something.
    pub(super) fn write_script(script: &'static StaticScript, keys: &[impl AsRef<str>]) -> Self {
        Self { is_write: true, ..Self::read_script(script, keys) }
    }

    pub(super) fn arg(mut self, argument: impl ToRedisArgs) -> Self {
        self.command.arg(argument);
        self
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
}

/// Reads an answer.
pub(super) fn read_answer<T: ::redis::FromRedisValue>(answer: Value) -> Result<T, Failure> {
    Ok(from_redis_value(answer)?)
}
