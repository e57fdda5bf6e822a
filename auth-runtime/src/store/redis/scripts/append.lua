-- KEYS: the log, its expiry, the state. ARGV: tag, keep_until and bytes of each entry.
-- The sequence and the entry are written at once, so no entry can appear before another that was read. Numbers are exact up to 2^53.
-- Entries that follow each other and expire at the same time have one member of the expiry: the last sequence, and how many they are. It
-- has at most 100, so that they are deleted in a moment.
local count = #ARGV / 3
local before = redis.call('HINCRBY', KEYS[3], 'sequence', count) - count
local run = 0
for number = 1, count do
    local at, sequence = 3 * number, before + number
    local keep_until = ARGV[at - 1]
    redis.call('XADD', KEYS[1], sequence, 't', ARGV[at - 2], 'k', keep_until, 'b', ARGV[at])
    run = run + 1
    if keep_until ~= ARGV[at + 2] or run == 100 then
        redis.call('ZADD', KEYS[2], keep_until, string.format('%.0f %d', sequence, run))
        run = 0
    end
end
return 1
