-- Notes that a wake-up for one item is being sent. Preceded by woken.lua.
--
-- KEYS  1 woken   2.. the queues' lists
-- ARGV  1 item
-- Returns 1, or 0 where one waits already

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local queues = {}
for i = 2, #KEYS do queues[i - 1] = KEYS[i] end
if waits(KEYS[1], queues, ARGV[1], now) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now))
return 1
