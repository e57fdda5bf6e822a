-- KEYS: the families, their expiry, the families by subject.
-- A row is the version, a hash of issuer and subject, a newline, and the family, which no script reads.
local function subject(row)
    return string.match(row, '^%d+ (%S+)\n')
end

local function remove(id)
    local row = redis.call('HGET', KEYS[1], id)
    if row then
        redis.call('HDEL', KEYS[1], id)
        redis.call('ZREM', KEYS[3], subject(row) .. id)
    end
    redis.call('ZREM', KEYS[2], id)
end

-- A server whose memory is full refuses a script that begins with what needs more, as it should for a new row.
local function put(id, row, expires_at)
    local former = redis.call('HGET', KEYS[1], id)
    if former then
        redis.call('ZREM', KEYS[3], subject(former) .. id)
    end
    redis.call('HSET', KEYS[1], id, row)
    redis.call('ZADD', KEYS[2], expires_at, id)
    redis.call('ZADD', KEYS[3], 0, subject(row) .. id)
end

