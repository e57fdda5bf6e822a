-- ARGV: id, row.
local former = redis.call('HGET', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
index(ARGV[1], ARGV[2], former)
return 1
