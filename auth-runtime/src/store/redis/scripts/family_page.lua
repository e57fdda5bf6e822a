-- ARGV: hash and id of the member before the first ('' for none), what a row of the issuer has in it, the maximum number of members that
-- are looked at, and that of rows. Returns the last member that was looked at ('' if none comes after it), the rows, and their ids.
local from = ARGV[1] == '' and '-' or '(' .. ARGV[1]
local members = redis.call('ZRANGEBYLEX', KEYS[3], from, '+', 'LIMIT', 0, ARGV[3])
local rows, ids = {}, {}
for _, member in ipairs(members) do
    -- The hash has 22 characters.
    local id = string.sub(member, 23)
    local row = redis.call('HGET', KEYS[1], id)
    if row and string.find(row, ARGV[2], 1, true) then
        rows[#rows + 1] = row
        ids[#ids + 1] = id
        if #rows == tonumber(ARGV[4]) then
            return {member, rows, ids}
        end
    end
end
return {#members == tonumber(ARGV[3]) and members[#members] or '', rows, ids}
