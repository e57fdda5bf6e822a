-- KEYS: the families, their expiry, the families by subject.
-- A row is the version, a hash of issuer and subject, expires_at, a newline, and the family, which no script reads.
-- In the expiry, a family has its expires_at or an earlier time: a refresh that moves it to a later one writes the row alone, and what drops
-- families looks there.
local function parse(row)
    return string.match(row, '^(%d+) (%S+) (%S+)\n')
end

local function remove(id)
    local row = redis.call('HGET', KEYS[1], id)
    if row then
        local _, subject = parse(row)
        redis.call('HDEL', KEYS[1], id)
        redis.call('ZREM', KEYS[3], subject .. id)
    end
    redis.call('ZREM', KEYS[2], id)
end

-- Has a row that was written be found. `former`: the row in its place before, if any.
local function index(id, row, former)
    local _, subject, expires_at = parse(row)
    local former_subject, former_expires_at = nil, nil
    if former then
        _, former_subject, former_expires_at = parse(former)
    end
    if subject ~= former_subject then
        if former then
            redis.call('ZREM', KEYS[3], former_subject .. id)
        end
        redis.call('ZADD', KEYS[3], 0, subject .. id)
    end
    if not former or tonumber(expires_at) < tonumber(former_expires_at) then
        redis.call('ZADD', KEYS[2], expires_at, id)
    end
end

