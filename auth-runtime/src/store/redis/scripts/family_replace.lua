-- ARGV: id, row, expires_at, the version that is expected. Versions are compared as text, since numbers are exact up to 2^53 only.
local row = redis.call('HGET', KEYS[1], ARGV[1])
if not row or string.match(row, '^%d+') ~= ARGV[4] then
    return 0
end
put(ARGV[1], ARGV[2], ARGV[3])
return 1
