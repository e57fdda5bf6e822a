//! Whether a server can be used: what is checked of each new connection.

use ::redis::aio::MultiplexedConnection;
use ::redis::{InfoDict, cmd};

use super::failure::Failure;

/// Of the data, in the hash of the state.
pub(super) const FORMAT: &str = "2";

/// The oldest version that has what the scripts use.
const OLDEST: (u32, u32) = (7, 0);

/// Checks that a server is a primary that keeps what it acknowledges, and whose data this version of the library can read. Returns what its
/// operator should know.
///
/// # Errors
/// [`Failure::Unusable`] in words that name the setting.
pub(super) async fn check(
    connection: &mut MultiplexedConnection,
    state_key: &str,
    allow_eviction: bool,
    wait_for_replicas: u32,
) -> Result<Vec<String>, Failure> {
    let info: InfoDict = cmd("INFO").query_async(connection).await?;
    let get = |name: &str| info.get::<String>(name).unwrap_or_default();
    // Redis says the first, Valkey the second.
    let mode = [get("redis_mode"), get("server_mode")].concat();
    check_kind(&mode, &get("role"), &get("redis_version"))?;
    let policy = get("maxmemory_policy");
    // A server that does not say has no memory of its own to be full.
    if !policy.is_empty() && policy != "noeviction" && !allow_eviction {
        return Err(Failure::Unusable(format!(
            "its `maxmemory-policy` is `{policy}`: when its memory is full it deletes keys, and with them revocations and sessions. Set \
             `maxmemory-policy noeviction`, or use a server of its own for this"
        )));
    }
    // First, since it says which node of a Cluster has the keys.
    check_format(connection, state_key).await?;
    // A page of the log is read in a transaction. A command that the user may not call is named here, which it would not be there.
    for name in ["MULTI", "EXEC"] {
        cmd(name).exec_async(connection).await?;
    }
    let mut warnings = Vec::new();
    if get("aof_enabled") == "0" {
        warnings.push(
            "`appendonly` is `no`: a restart loses what was acknowledged since the last snapshot, so sessions that were ended could be renewed. \
             Set `appendonly yes`, or have replicas and `RedisStoreOptions::wait_for_replicas`"
                .to_owned(),
        );
    } else if let Some(policy) = appendfsync(connection).await
        && policy != "always"
    {
        warnings.push(format!(
            "`appendfsync` is `{policy}`: a crash of the server or of its machine loses what was acknowledged in the last {}. Set \
             `appendfsync always` if that is too much",
            if policy == "everysec" { "two seconds" } else { "half a minute or more" }
        ));
    }
    let connected = get("connected_slaves").parse().unwrap_or(0);
    warnings.extend(of_replicas(connected, wait_for_replicas, !get("min_slaves_good_slaves").is_empty()));
    Ok(warnings)
}

/// What its operator should know of replication: so many replicas are connected, and so many are waited for. `needs_some`: it does not write
/// without replicas.
fn of_replicas(connected: u32, waited_for: u32, needs_some: bool) -> Vec<String> {
    let mut warnings = Vec::new();
    if connected < waited_for {
        warnings.push(format!(
            "{connected} replicas are connected, and `RedisStoreOptions::wait_for_replicas` is {waited_for}: logins and logouts fail until \
             there are as many. Start the replicas, or wait for fewer"
        ));
    }
    if connected > 0 && waited_for == 0 {
        warnings.push(
            "it has replicas, and `RedisStoreOptions::wait_for_replicas` is 0: one that takes over can lack what was acknowledged last. Wait \
             for as many as can take over, unless that is too slow"
                .to_owned(),
        );
    }
    if connected > 0 && !needs_some {
        warnings.push(
            "it has replicas, and `min-replicas-to-write` is 0: when it is cut off and a replica takes over, instances on its side go on with \
             it, and do not see what the others revoke. Set `min-replicas-to-write 1`"
                .to_owned(),
        );
    }
    warnings
}

fn check_kind(mode: &str, role: &str, version: &str) -> Result<(), Failure> {
    let unusable = |why: String| Err(Failure::Unusable(why));
    if mode == "sentinel" {
        return unusable("it is a Sentinel: name it in `RedisStoreOptions::sentinels`".to_owned());
    }
    if role == "slave" {
        return unusable(
            "it is a replica, and what it has can be old: connect to the primary, or name the Sentinels \
             (`RedisStoreOptions::sentinels`), which say where it is"
                .to_owned(),
        );
    }
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) if (major, minor) < OLDEST => {
            unusable(format!("its version is {version}: use Redis 7.0 or newer, or Valkey"))
        }
        _ => Ok(()),
    }
}

/// Checks the format of the data, and notes it where there is none.
async fn check_format(connection: &mut MultiplexedConnection, state_key: &str) -> Result<(), Failure> {
    let mut find = cmd("HGET");
    find.arg(state_key).arg("format");
    let mut format: Option<String> = find.query_async(connection).await?;
    if format.is_none() {
        cmd("HSETNX").arg(state_key).arg("format").arg(FORMAT).exec_async(connection).await?;
        format = find.query_async(connection).await?;
    }
    match format {
        // It was never published: what it had, nobody relies on.
        Some(format) if format == "1" => Err(Failure::Unusable(format!(
            "its data has the format 1, and this version of the library reads {FORMAT}: use another `RedisStoreOptions::key_prefix`"
        ))),
        Some(format) if format != FORMAT => Err(Failure::Unusable(format!(
            "its data has the format {format}, and this version of the library reads {FORMAT}: upgrade this instance to the version of the \
             others, or use another `RedisStoreOptions::key_prefix`"
        ))),
        _ => Ok(()),
    }
}

/// `None`: its user may not ask, as with most providers.
async fn appendfsync(connection: &mut MultiplexedConnection) -> Option<String> {
    let mut question = cmd("CONFIG");
    question.arg("GET").arg("appendfsync");
    let answer: Vec<String> = question.query_async(connection).await.ok()?;
    answer.into_iter().nth(1)
}
