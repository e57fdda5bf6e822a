-- ARGV: id, row, the version that is expected. Versions are compared as text, since numbers are exact up to 2^53 only.
local former = redis.call('HGET', KEYS[1], ARGV[1])
if not former or parse(former) ~= ARGV[3] then
    return 0
end
local written = redis.pcall('HSET', KEYS[1], ARGV[1], ARGV[2])
if type(written) == 'table' then
    -- A server whose memory is full refuses a script that begins with what needs more, as it should for a new row. This one is there
    -- already; no family has this id. If it is refused for another reason, it is so again.
    redis.call('HDEL', KEYS[1], '')
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
index(ARGV[1], ARGV[2], former)
return 1
