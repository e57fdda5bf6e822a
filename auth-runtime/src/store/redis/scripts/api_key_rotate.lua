-- ARGV: id, the version that is expected, overlap_ends_at, id and row of the next key.
local key = find(ARGV[1])
if not key or key[VERSION] ~= ARGV[2] then
    return 0
end
key[OVERLAP] = ARGV[3]
add_version(key)
put(ARGV[1], key)
put(ARGV[4], parse(ARGV[5]))
return 1
