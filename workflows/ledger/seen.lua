-- Somebody has just acted with an account: when, by the server's own clock.
-- KEYS  1 the account's mark
-- ARGV  1 seconds that it is kept
local time = redis.call('TIME')
redis.call('SET', KEYS[1], string.format('%d.%06d', time[1], time[2]), 'EX', ARGV[1])
return 1
