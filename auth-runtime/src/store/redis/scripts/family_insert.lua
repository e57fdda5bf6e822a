-- ARGV: id, row, expires_at.
put(ARGV[1], ARGV[2], ARGV[3])
return 1
