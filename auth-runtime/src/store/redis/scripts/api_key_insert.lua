-- ARGV: id, row.
put(ARGV[1], parse(ARGV[2]))
return 1
