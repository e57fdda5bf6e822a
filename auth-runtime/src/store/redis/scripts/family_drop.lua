-- ARGV: the time before which families have expired, the maximum number. Returns whether there are more.
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])) do
    local row = redis.call('HGET', KEYS[1], id)
    local expires_at = row and select(3, parse(row))
    -- Removed first: a server whose memory is full refuses a script that begins with what needs more.
    redis.call('ZREM', KEYS[2], id)
    if expires_at and tonumber(expires_at) >= tonumber(ARGV[1]) then
        -- It was refreshed.
        redis.call('ZADD', KEYS[2], expires_at, id)
    elseif row then
        remove(id)
    end
end
return #redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[1], 'LIMIT', 0, 1)
