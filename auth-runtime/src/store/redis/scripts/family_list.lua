-- ARGV: the hash of issuer and subject. Returns the rows.
local rows = {}
for _, member in ipairs(redis.call('ZRANGEBYLEX', KEYS[3], '[' .. ARGV[1], '(' .. ARGV[1] .. '\255')) do
    rows[#rows + 1] = redis.call('HGET', KEYS[1], string.sub(member, #ARGV[1] + 1))
end
return rows
