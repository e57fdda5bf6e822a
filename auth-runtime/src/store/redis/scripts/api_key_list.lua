-- ARGV: the hash of prefix and owner, the id before the first, the maximum number. Returns the rows.
local rows = {}
local from, to = '(' .. ARGV[1] .. ARGV[2], '(' .. ARGV[1] .. '\255'
for _, member in ipairs(redis.call('ZRANGEBYLEX', KEYS[3], from, to, 'LIMIT', 0, ARGV[3])) do
    local id = string.sub(member, #ARGV[1] + 1)
    rows[#rows + 1] = redis.call('HGET', KEYS[1], id)
end
return rows
