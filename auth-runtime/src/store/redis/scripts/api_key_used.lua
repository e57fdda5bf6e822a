-- ARGV: id and time of each use.
for number = 1, #ARGV, 2 do
    local key = find(ARGV[number])
    if key and (key[USED] == '-' or tonumber(key[USED]) < tonumber(ARGV[number + 1])) then
        key[USED] = ARGV[number + 1]
        put(ARGV[number], key)
    end
end
return 1
