-- KEYS: the log, its expiry, the state. ARGV: the time before which entries have expired, the maximum number.
-- Returns whether there are more. Trimming by id would be wrong: `keep_until` is not in the order of the log.
local left, highest, floor = tonumber(ARGV[2]), tonumber(redis.call('HGET', KEYS[3], 'floor_sequence') or '0'), nil
local expired = {}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])) do
    local last, count = string.match(member, '^(%d+) (%d+)$')
    left = left - count
    if left < 0 and #expired > 0 then
        break
    end
    expired[#expired + 1] = {member = member, last = tonumber(last), count = tonumber(count)}
    if tonumber(last) > highest then
        highest, floor = tonumber(last), last
    end
end
local entry = floor and redis.call('XRANGE', KEYS[1], floor .. '-0', floor .. '-0')[1]
-- Deleted first: a server whose memory is full refuses a script that begins with what needs more.
for _, run in ipairs(expired) do
    local sequences = {}
    for number = 1, run.count do
        sequences[number] = run.last - run.count + number
    end
    redis.call('XDEL', KEYS[1], unpack(sequences))
    redis.call('ZREM', KEYS[2], run.member)
end
if entry then
    redis.call('HSET', KEYS[3], 'floor_sequence', floor, 'floor_tag', entry[2][2])
end
return #redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[1], 'LIMIT', 0, 1)
