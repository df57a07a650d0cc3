-- Notes that wake-ups for items are being sent. Preceded by woken.lua.
--
-- KEYS  1 woken   2.. the queues' lists
-- ARGV  items
-- Returns for each 1, or 0 where one waits already

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local queues = {}
for i = 2, #KEYS do queues[i - 1] = KEYS[i] end
local answer = {}
for i, item in ipairs(ARGV) do
  answer[i] = waits(KEYS[1], queues, item, now) and 0 or 1
  if answer[i] == 1 then redis.call('HSET', KEYS[1], item, string.format('%.0f', now)) end
end
return answer
