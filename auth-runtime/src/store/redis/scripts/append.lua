-- KEYS: the log, its expiry, the state. ARGV: tag, keep_until and bytes of each entry.
-- The sequence and the entry are written at once, so no entry can appear before another that was read. Numbers are exact up to 2^53.
local count = #ARGV / 3
local last = redis.call('HINCRBY', KEYS[3], 'sequence', count)
for number = 1, count do
    local sequence = string.format('%.0f', last - count + number)
    local tag, keep_until, bytes = ARGV[3 * number - 2], ARGV[3 * number - 1], ARGV[3 * number]
    redis.call('XADD', KEYS[1], sequence .. '-0', 't', tag, 'k', keep_until, 'b', bytes)
    redis.call('ZADD', KEYS[2], keep_until, sequence)
end
return 1
