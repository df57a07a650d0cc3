-- Closes a bucket for some time; a longer block that stands already stays.
--
-- KEYS  1 bucket
-- ARGV  1 seconds

local time = redis.call('TIME')
local until_s = time[1] + time[2] / 1000000 + tonumber(ARGV[1])
local found = redis.pcall('HGET', KEYS[1], 'blocked_until')
if type(found) == 'table' then redis.call('DEL', KEYS[1]) end
local standing = type(found) == 'string' and tonumber(found) or 0
if standing >= until_s and standing < math.huge then return 0 end
redis.call('HSET', KEYS[1], 'blocked_until', string.format('%.6f', until_s))
local life = math.ceil(tonumber(ARGV[1]) * 1000) + 1000
if redis.call('PTTL', KEYS[1]) < life then redis.call('PEXPIRE', KEYS[1], string.format('%.0f', life)) end
return 1
