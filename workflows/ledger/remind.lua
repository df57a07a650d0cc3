-- Makes an item due in some seconds, unless it is due sooner already.
--
-- Preceded by strange.lua.
--
-- KEYS  1 due
-- ARGV  1 item   2 seconds from now
-- Returns 1 where the item is new, else 0

local strange = {}
is_a(KEYS[1], 'zset', strange)
put_aside(strange)
local time = redis.call('TIME')
local at = time[1] + time[2] / 1000000 + tonumber(ARGV[2])
return redis.call('ZADD', KEYS[1], 'LT', string.format('%.6f', at), ARGV[1])
