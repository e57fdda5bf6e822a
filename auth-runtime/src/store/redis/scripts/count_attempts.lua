-- KEYS: attempts. ARGV: the milliseconds after which one more is allowed and the number at once, of each.
-- Returns how many milliseconds to wait; 0 if all were counted. The value of a key is the theoretical arrival time of GCRA in
-- milliseconds, at which it expires.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
for number, key in ipairs(KEYS) do
    local every, burst = tonumber(ARGV[2 * number - 1]), tonumber(ARGV[2 * number])
    local arrival = math.max(tonumber(redis.call('GET', key) or now), now) + every
    local wait = arrival - now - every * burst
    if wait > 0 then
        return wait
    end
    redis.call('SET', key, string.format('%.0f', arrival), 'PX', string.format('%.0f', arrival - now))
end
return 0
