-- KEYS: the log, its expiry, the state. ARGV: the time before which entries have expired, the maximum number.
-- Returns whether there are more. Trimming by id would be wrong: `keep_until` is not in the order of the log.
local expired = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
local highest = tonumber(redis.call('HGET', KEYS[3], 'floor_sequence') or '0')
local floor = nil
for _, sequence in ipairs(expired) do
    if tonumber(sequence) > highest then
        highest = tonumber(sequence)
        floor = sequence
    end
end
local entry = floor and redis.call('XRANGE', KEYS[1], floor .. '-0', floor .. '-0')[1]
-- Deleted first: a server whose memory is full refuses a script that begins with what needs more.
for _, sequence in ipairs(expired) do
    redis.call('XDEL', KEYS[1], sequence .. '-0')
    redis.call('ZREM', KEYS[2], sequence)
end
if entry then
    redis.call('HSET', KEYS[3], 'floor_sequence', floor, 'floor_tag', entry[2][2])
end
return #redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[1], 'LIMIT', 0, 1)
