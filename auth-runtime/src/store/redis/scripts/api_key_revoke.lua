-- ARGV: id, revoked_at.
local key = find(ARGV[1])
if not key or key[REVOKED] ~= '-' then
    return 0
end
key[REVOKED] = ARGV[2]
add_version(key)
put(ARGV[1], key)
return 1
