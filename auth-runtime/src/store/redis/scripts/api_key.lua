-- KEYS: the API keys, those that end, the API keys by owner.
-- A row is what scripts change or compare, a newline, and the key as it was made: version, expires_at, overlap_ends_at, revoked_at,
-- last_used_at ('-' for none), and a hash of prefix and owner.
local VERSION, EXPIRES, OVERLAP, REVOKED, USED, OWNER, MADE = 1, 2, 3, 4, 5, 6, 7

local function parse(row)
    return {string.match(row, '^(%d+) (%S+) (%S+) (%S+) (%S+) (%S+)\n(.*)$')}
end

local function find(id)
    local row = redis.call('HGET', KEYS[1], id)
    return row and parse(row)
end

local function remove(id)
    local key = find(id)
    if key then
        redis.call('HDEL', KEYS[1], id)
        redis.call('ZREM', KEYS[3], key[OWNER] .. id)
    end
    redis.call('ZREM', KEYS[2], id)
end

-- A server whose memory is full refuses a script that begins with what needs more, as it should for a new key.
local function put(id, key)
    local former = find(id)
    if former then
        redis.call('ZREM', KEYS[3], former[OWNER] .. id)
    end
    redis.call('HSET', KEYS[1], id, table.concat(key, ' ', VERSION, OWNER) .. '\n' .. key[MADE])
    redis.call('ZADD', KEYS[3], 0, key[OWNER] .. id)
    local ends_at = nil
    for _, time in ipairs({key[EXPIRES], key[OVERLAP], key[REVOKED]}) do
        if time ~= '-' and (not ends_at or tonumber(time) < tonumber(ends_at)) then
            ends_at = time
        end
    end
    if ends_at then
        redis.call('ZADD', KEYS[2], ends_at, id)
    elseif former then
        redis.call('ZREM', KEYS[2], id)
    end
end

local function add_version(key)
    key[VERSION] = string.format('%.0f', tonumber(key[VERSION]) + 1)
end

