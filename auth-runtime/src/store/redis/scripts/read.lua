-- KEYS: the log, the state. ARGV: sequence and tag of the cursor, and, if this returns the entries too, their maximum number.
-- Returns whether the cursor is known, and the time in seconds and microseconds. The entries are read by a command after it, in the same
-- transaction, since a script converts each of them twice, which takes six times as long.

-- What a server has that may not write could be old: a replica, or a primary that has lost the replicas which it needs
-- (min-replicas-to-write), since one of them may have taken over. The probe changes nothing. A full disk is no reason not to read.
local probe = redis.pcall('HDEL', KEYS[2], '-')
if type(probe) == 'table' and probe.err and not string.find(probe.err, 'MISCONF', 1, true) then
    return probe
end

local now = redis.call('TIME')
local known = ARGV[1] == '0' and ARGV[2] == '0'
if not known then
    local id = ARGV[1] .. '-0'
    local there = redis.call('XRANGE', KEYS[1], id, id)[1]
    if there then
        known = there[2][2] == ARGV[2]
    else
        local floor = redis.call('HMGET', KEYS[2], 'floor_sequence', 'floor_tag')
        known = floor[1] == ARGV[1] and floor[2] == ARGV[2]
    end
end
local position = {known and 1 or 0, now[1], now[2]}
if ARGV[3] then
    return {position, redis.call('XRANGE', KEYS[1], '(' .. ARGV[1] .. '-0', '+', 'COUNT', ARGV[3])}
end
return position
