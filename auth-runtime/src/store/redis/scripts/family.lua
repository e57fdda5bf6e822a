-- KEYS: the families, their expiry, the families by subject.
-- A row is the version, a hash of issuer and subject, a newline, and the family, which no script reads.
local function remove(id)
    local row = redis.call('HGET', KEYS[1], id)
    if row then
        redis.call('HDEL', KEYS[1], id)
        redis.call('ZREM', KEYS[3], string.match(row, '^%d+ (%S+)\n') .. id)
    end
    redis.call('ZREM', KEYS[2], id)
end

local function put(id, row, expires_at)
    remove(id)
    redis.call('HSET', KEYS[1], id, row)
    redis.call('ZADD', KEYS[2], expires_at, id)
    redis.call('ZADD', KEYS[3], 0, string.match(row, '^%d+ (%S+)\n') .. id)
end

